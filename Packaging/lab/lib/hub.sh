# The API server of the fleet's hub: a stand-in, in the hub's namespace, that keeps ConfigMaps for a fleet
# whose store is Kubernetes.
#
#   $RUN/.fleets/FLEET/hub    "PID START-TIME"
#   $CACHE/fleets/FLEET/hub/  certificates, tokens, objects and log
# shellcheck shell=bash

HUB_PORT=6443
HUB_SECONDS=10

lab_hub() {
    local verb=${1:-} fleet=${2:-}
    check_name "$fleet"
    shift 2
    case $verb in
        start)
            with_fleet_lock raise_hub "$fleet"
            hub_start "$fleet"
            ;;
        stop | give | empty)
            need_fleet "$fleet"
            "hub_$verb" "$fleet" "$@"
            ;;
        *) misuse "hub start, stop, give or empty, not '$verb'" ;;
    esac
}

hub_home() { echo "$(fleet_home "$1")/hub"; }

hub_start() {
    local fleet=$1 home program
    home=$(hub_home "$fleet")
    ! alive ".fleets/$fleet" hub >/dev/null || die "the API server of fleet $fleet is running"
    program=$(standin hub v1.31.4)
    mkdir -p "$home"
    if [[ ! -d $home/tls ]]; then
        rm -rf "$home/tls.new"
        make_certificates "$home/tls.new"
        mv "$home/tls.new" "$home/tls"
    fi
    # As etcd is started: its own session, and the number is its own.
    (exec nsenter --net="$(fleet_state "$fleet")/net" setsid "$program" --listen "$HUB_ADDRESS:$HUB_PORT" \
        --certificate "$home/tls/server.crt" --key "$home/tls/server.key" --tokens "$home/tokens" \
        --data "$home/objects.json" </dev/null >>"$home/hub.log" 2>&1 9>&- 8>&-) &
    identity $! >"$(fleet_state "$fleet")/hub"
    within "$HUB_SECONDS" hub_listens "$fleet" || {
        tail -n 20 "$home/hub.log" >&2
        die "the API server of fleet $fleet is not up after $HUB_SECONDS s; the end of $home/hub.log is above"
    }
}

hub_listens() { in_hub "$1" bash -c '>/dev/tcp/"$1"/"$2"' bash "$HUB_ADDRESS" "$HUB_PORT" 2>/dev/null; }

hub_stop() { end_in_hub "$1" hub; }

# hub_empty FLEET: nothing was ever kept there.
hub_empty() {
    hub_stop "$1"
    rm -f "$(hub_home "$1")/objects.json"
    hub_start "$1"
}

# hub_give FLEET NAME: the node's kubeconfig, with a token of its own, as Packaging/kubernetes would have it.
hub_give() {
    local fleet=$1 name=${2:-} home token
    home=$(hub_home "$fleet")
    need_node "$name"
    [[ -d $home/tls ]] || die "fleet $fleet has no API server yet: lab hub start $fleet"
    token=$(openssl rand -hex 16)
    (umask 077 && printf '%s system:serviceaccount:holdfast:node-%s\n' "$token" "$name" >>"$home/tokens")
    put "$name" /etc/holdfast/hub.kubeconfig 600 <<YAML
apiVersion: v1
kind: Config
current-context: hub
contexts: [{name: hub, context: {cluster: hub, user: node}}]
clusters:
- name: hub
  cluster:
    server: https://hub:$HUB_PORT
    certificate-authority-data: $(base64 -w 0 "$home/tls/ca.crt")
users:
- name: node
  user: {token: $token}
YAML
}
