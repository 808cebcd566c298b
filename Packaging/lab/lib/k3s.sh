# K3s, as its install script leaves it on a node.
# shellcheck shell=bash

install_k3s() {
    need_node "${1:-}"
    local name=$1 version=${2:-} role=server unit='' bin=/usr/local/bin data='' fault='' how=wait binary
    check_version "$version"
    shift 2
    local arguments=()
    while (($#)); do
        case $1 in
            --role) role=${2:?}; shift 2 ;;
            --unit) unit=${2:?}; shift 2 ;;
            --bin-dir) bin=${2:?}; shift 2 ;;
            --data-dir) data=${2:?}; shift 2 ;;
            --broken) fault=${2:?}; shift 2 ;;
            --no-wait | --no-start) how=${1#--}; shift ;;
            --) shift; arguments+=("$@"); break ;;
            *) misuse "install-k3s does not know '$1'" ;;
        esac
    done
    case $role in
        server) unit=${unit:-k3s} ;;
        agent) unit=${unit:-k3s-agent} ;;
        *) misuse "K3s is a server or an agent, not '$role'" ;;
    esac
    [[ -z $data ]] || arguments=(--data-dir "$data" "${arguments[@]}")
    [[ -z $fault ]] || [[ $how != wait ]] || how=no-wait

    # In the script's order: the binary first; the unit and its environment only after that.
    binary=$(standin k3s "$version" "$fault")
    put_binary "$name" "$binary" "$bin/k3s" 755
    k3s_links "$name" "$bin"
    k3s_scripts "$name" "$bin" "$unit" "${data:-/var/lib/rancher/k3s}"
    k3s_environment "$role" | put "$name" "/etc/systemd/system/$unit.service.env" 600
    k3s_unit "$role" "$unit" "$bin" "${arguments[@]}" |
        put "$name" "/etc/systemd/system/$unit.service" 644
    start_unit "$name" "$unit.service" "$how"
}

k3s_links() {
    node_run "$1" sh -ec 'for tool in kubectl crictl ctr; do
        [ -e "$1/$tool" ] || ln -s k3s "$1/$tool"
    done' sh "$2"
}

k3s_environment() {
    [[ $1 == server ]] || printf '%s\n' K3S_TOKEN=stand-in K3S_URL=https://127.0.0.1:6443
}

k3s_unit() {
    local role=$1 unit=$2 bin=$3
    shift 3
    cat <<UNIT
[Unit]
Description=Lightweight Kubernetes
Documentation=https://k3s.io
Wants=network-online.target
After=network-online.target

[Install]
WantedBy=multi-user.target

[Service]
Type=notify
EnvironmentFile=-/etc/default/%N
EnvironmentFile=-/etc/sysconfig/%N
EnvironmentFile=-/etc/systemd/system/$unit.service.env
KillMode=process
Delegate=yes
User=root
LimitNOFILE=1048576
LimitNPROC=infinity
LimitCORE=infinity
TasksMax=infinity
TimeoutStartSec=0
Restart=always
RestartSec=5s
ExecStartPre=-/sbin/modprobe br_netfilter
ExecStartPre=-/sbin/modprobe overlay
ExecStart=$bin/k3s \\
    $role \\
$( (($# == 0)) || printf "\t'%s' \\\\\n" "$@")

UNIT
}

k3s_scripts() {
    local name=$1 bin=$2 unit=$3 data=$4
    put "$name" "$bin/k3s-killall.sh" 755 <<SCRIPT
#!/bin/sh
for unit in /etc/systemd/system/k3s*.service; do
    [ -s "\$unit" ] && systemctl stop "\$(basename "\$unit")"
done
SCRIPT
    put "$name" "$bin/$([[ $unit == k3s-agent ]] && echo k3s-agent || echo k3s)-uninstall.sh" 755 <<SCRIPT
#!/bin/sh
"$bin/k3s-killall.sh"
systemctl disable "$unit"
rm -f "/etc/systemd/system/$unit.service" "/etc/systemd/system/$unit.service.env"
systemctl daemon-reload
rm -rf /etc/rancher/k3s "$data" "$bin/k3s" "$bin/k3s-killall.sh" "\$0"
for tool in kubectl crictl ctr; do [ -L "$bin/\$tool" ] && rm -f "$bin/\$tool"; done
SCRIPT
}

# cluster_k3s NAME NAME...: servers of a fleet that run become members of one cluster, each with etcd: they have the
# first one's authority, and know of one another.
cluster_k3s() {
    (($# > 1)) || misuse "a cluster has several nodes"
    local name file members
    members=$(for name; do printf '%s %s\n' "$name" "$(lab_address "$name")"; done)
    for name; do
        put "$name" /etc/rancher/k3s/members 644 <<<"$members"
        put "$name" /etc/rancher/k3s/config.yaml 600 <<<'cluster-init: true'
        if [[ $name != "$1" ]]; then
            for file in server-ca.crt server-ca.key; do
                node_run "$1" cat "/var/lib/rancher/k3s/server/tls/$file" |
                    put "$name" "/var/lib/rancher/k3s/server/tls/$file" 600
            done
        fi
        start_unit "$name" k3s.service wait
    done
}
