# The fleet's etcd: Debian's, one member in the hub's namespace, with TLS towards its clients, and a user
# who may use Holdfast's keys alone.
# shellcheck shell=bash

ETCD_ADDRESS=https://$HUB_ADDRESS:2379
ETCD_SECONDS=30
# No secret: what they open is reachable from the fleet's own nodes alone.
ETCD_ROOT_PASSWORD=root-stand-in
ETCD_USER=holdfast
# Without a blank: etcdctl reads one word.
ETCD_USER_PASSWORD='fleet:stand-in#1'

lab_etcd() {
    local verb=${1:-} fleet=${2:-}
    check_name "$fleet"
    shift 2
    case $verb in
        start)
            with_fleet_lock raise_hub "$fleet"
            etcd_start "$fleet"
            ;;
        stop | address | give | empty | ctl)
            need_fleet "$fleet"
            "etcd_$verb" "$fleet" "$@"
            ;;
        *) misuse "etcd start, stop, address, give, empty or ctl, not '$verb'" ;;
    esac
}

etcd_address() { echo "$ETCD_ADDRESS"; }

etcd_start() {
    local fleet=$1 home is_new=''
    home=$(fleet_home "$fleet")
    ! alive ".fleets/$fleet" etcd >/dev/null || die "etcd of fleet $fleet is running"
    mkdir -p "$home"
    if [[ ! -d $home/tls ]]; then
        is_new=yes
        rm -rf "$home"/{tls.new,data}
        make_certificates "$home/tls.new"
        mv "$home/tls.new" "$home/tls"
    fi
    # Its own session, so that whoever ends the lab's verb does not end it; each program becomes the next, so that the
    # number is etcd's. The peers' side is not used, and is not to be reached from the nodes.
    (exec nsenter --net="$(fleet_state "$fleet")/net" setsid etcd --name hub --data-dir "$home/data" \
        --listen-client-urls "$ETCD_ADDRESS" --advertise-client-urls "$ETCD_ADDRESS" \
        --listen-peer-urls http://127.0.0.1:2380 --initial-advertise-peer-urls http://127.0.0.1:2380 \
        --initial-cluster hub=http://127.0.0.1:2380 --bcrypt-cost 4 --log-level error \
        --cert-file "$home/tls/server.crt" --key-file "$home/tls/server.key" \
        </dev/null >>"$home/etcd.log" 2>&1 9>&- 8>&-) &
    identity $! >"$(fleet_state "$fleet")/etcd"
    within "$ETCD_SECONDS" etcd_is_well "$fleet" || {
        tail -n 20 "$home/etcd.log" >&2
        die "etcd of fleet $fleet is not up after $ETCD_SECONDS s; the end of $home/etcd.log is above"
    }
    [[ -z $is_new ]] || make_users "$fleet"
}

# A store that asks nobody for a password answers this too, and one that does answers it to nobody else.
etcd_is_well() { etcd_ctl "$1" --dial-timeout=1s --command-timeout=2s endpoint health >/dev/null 2>&1; }

# etcd_ctl FLEET ARGUMENT...: etcdctl as root, once there are users.
etcd_ctl() {
    local fleet=$1 home user=()
    home=$(fleet_home "$fleet")
    shift
    [[ ! -f $home/user ]] || user=("ETCDCTL_USER=root:$ETCD_ROOT_PASSWORD")
    in_hub "$fleet" env ETCDCTL_API=3 "${user[@]}" \
        etcdctl --endpoints "$ETCD_ADDRESS" --cacert "$home/tls/ca.crt" "$@"
}

etcd_stop() { end_in_hub "$1" etcd; }

# etcd_empty FLEET: nothing of Holdfast's was ever kept there.
etcd_empty() { etcd_ctl "$1" del --prefix /holdfast/ >/dev/null; }

# etcd_give FLEET NAME: what a node reaches the store with, root's alone.
etcd_give() {
    local home
    home=$(fleet_home "$1")
    need_node "${2:-}"
    [[ -f $home/user ]] || die "fleet $1 has no etcd yet: lab etcd start $1"
    put "$2" /etc/holdfast/etcd-ca.pem 644 <"$home/tls/ca.crt"
    put "$2" /etc/holdfast/etcd-user 600 <"$home/user"
}

make_certificates() {
    local curve=(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes)
    mkdir -m 700 "$1"
    (
        cd "$1" || exit
        printf 'subjectAltName=IP:%s,DNS:hub\n' "$HUB_ADDRESS" >names
        logged openssl.log openssl req -x509 "${curve[@]}" -keyout ca.key -out ca.crt -days 30 -subj /CN=lab
        logged openssl.log openssl req "${curve[@]}" -keyout server.key -out server.csr -subj /CN=hub
        logged openssl.log openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial \
            -days 30 -extfile names -out server.crt
    )
}

# Passwords go in by standard input; the file is written last, and says that there are users.
make_users() {
    local fleet=$1 home
    home=$(fleet_home "$fleet")
    {
        etcd_ctl "$fleet" role add fleet
        etcd_ctl "$fleet" role grant-permission fleet --prefix=true readwrite /holdfast/
        etcd_ctl "$fleet" user add "$ETCD_USER" --interactive=false <<<"$ETCD_USER_PASSWORD"
        etcd_ctl "$fleet" user grant-role "$ETCD_USER" fleet
        etcd_ctl "$fleet" user add root --interactive=false <<<"$ETCD_ROOT_PASSWORD"
        etcd_ctl "$fleet" user grant-role root root
        etcd_ctl "$fleet" auth enable
    } >/dev/null
    (umask 077 && printf '%s:%s\n' "$ETCD_USER" "$ETCD_USER_PASSWORD" >"$home/user")
}
