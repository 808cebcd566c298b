# k0s, as `k0s install` leaves it on a node.
# shellcheck shell=bash

install_k0s() {
    need_node "${1:-}"
    local name=$1 version=${2:-} role='' bin=/usr/local/bin data='' socket='' fault='' how=wait binary unit verb
    check_version "$version"
    shift 2
    local arguments=()
    while (($#)); do
        case $1 in
            --role) role=${2:?}; shift 2 ;;
            --bin-dir) bin=${2:?}; shift 2 ;;
            --data-dir) data=${2:?}; shift 2 ;;
            --status-socket) socket=${2:?}; shift 2 ;;
            --broken) fault=${2:?}; shift 2 ;;
            --no-wait | --no-start) how=${1#--}; shift ;;
            --) shift; arguments+=("$@"); break ;;
            *) misuse "install-k0s does not know '$1'" ;;
        esac
    done
    [[ -z $socket ]] || arguments=("--status-socket=$socket" "${arguments[@]}")
    [[ -z $data ]] || arguments=("--data-dir=$data" "${arguments[@]}")
    [[ -z $fault ]] || [[ $how != wait ]] || how=no-wait
    case $role in
        controller) unit=k0scontroller verb=controller ;;
        controller+worker) unit=k0scontroller verb=controller arguments=(--enable-worker=true "${arguments[@]}") ;;
        single) unit=k0scontroller verb=controller arguments=(--single=true "${arguments[@]}") ;;
        worker)
            unit=k0sworker verb=worker arguments=(--token-file=/etc/k0s/token "${arguments[@]}")
            echo stand-in | put "$name" /etc/k0s/token 600
            ;;
        *) misuse "k0s is a controller, worker, controller+worker or single, not '$role'" ;;
    esac

    binary=$(standin k0s "$version" "$fault")
    put_binary "$name" "$binary" "$bin/k0s" 755
    k0s_unit "$bin" "$verb" "${arguments[@]}" | put "$name" "/etc/systemd/system/$unit.service" 644
    start_unit "$name" "$unit.service" "$how"
}

k0s_unit() {
    local bin=$1
    shift
    cat <<UNIT
[Unit]
Description=k0s - Zero Friction Kubernetes
Documentation=https://docs.k0sproject.io
ConditionFileIsExecutable=$bin/k0s

After=network-online.target 
Wants=network-online.target 

[Service]
StartLimitInterval=5
StartLimitBurst=10
ExecStart=$bin/k0s $*

RestartSec=10
Delegate=yes
KillMode=process
LimitCORE=infinity
TasksMax=infinity
TimeoutStartSec=0
LimitNOFILE=999999
Restart=always

[Install]
WantedBy=multi-user.target
UNIT
}
