# A fleet: nodes that reach one another and what keeps their store, in a network that leads nowhere else, so that
# any number of fleets may use the same addresses. It comes with its first node or its store, and goes
# with its last node.
#
#   $RUN/.fleets/FLEET/net         the hub's network namespace: a bridge, and etcd or the hub's API server
#   $RUN/.fleets/FLEET/etcd        "PID START-TIME"
#   $CACHE/fleets/FLEET/           certificates, users, data and log of etcd
#   $RUN/NAME/{fleet,address,net}  of each node that is in a fleet
# shellcheck shell=bash

# A range that is nobody's (RFC 5737). Nodes count from .10 on.
FLEET_RANGE=192.0.2
HUB_ADDRESS=$FLEET_RANGE.1

fleet_state() { echo "$RUN/.fleets/$1"; }
fleet_home() { echo "$CACHE/fleets/$1"; }
fleet_exists() { [[ -d $(fleet_state "$1") ]]; }
# fleet_of NAME: the node's fleet, or nothing.
fleet_of() { cat "$RUN/$1/fleet" 2>/dev/null || true; }

need_fleet() {
    check_name "${1:-}"
    fleet_exists "$1" || die "there is no fleet $1"
}

# members FLEET: its nodes.
members() {
    local file
    for file in "$RUN"/*/fleet; do
        [[ $(cat "$file") != "$1" ]] || basename "$(dirname "$file")"
    done
}

# Nodes of a fleet are booted beside each other. The lock goes with the subshell that this opens.
with_fleet_lock() {
    mkdir -p "$RUN/.fleets"
    (
        exec 8>"$RUN/.fleets/lock"
        flock 8
        "$@"
    )
}

# A network namespace lives as long as a file on which it is mounted, or a process in it.
hold_namespace() {
    drop_namespace "$1"
    touch "$1"
    unshare --net="$1" ip link set lo up
}
drop_namespace() {
    while [[ $(stat -fc %T "$1" 2>/dev/null) == nsfs ]]; do umount "$1"; done
    rm -f "$1"
}

in_hub() {
    local fleet=$1
    shift
    nsenter --net="$(fleet_state "$fleet")/net" "$@"
}

# end_in_hub FLEET PROGRAM: ends what was recorded under that name.
end_in_hub() {
    local fleet=$1 program=$2 pid
    pid=$(alive ".fleets/$fleet" "$program") || return 0
    kill "$pid" 2>/dev/null || true
    within 10 stopped ".fleets/$fleet" "$program" || kill -9 "$pid" 2>/dev/null || true
    within 5 stopped ".fleets/$fleet" "$program" || die "$program of fleet $fleet (process $pid) does not end"
}

raise_hub() {
    local state
    state=$(fleet_state "$1")
    [[ ! -d $state ]] || return 0
    mkdir -p "$state.new"
    hold_namespace "$state.new/net"
    # With an address of its own: else a bridge takes that of one of its ports, and another one when that goes, and
    # nobody reaches it until they have noticed.
    nsenter --net="$state.new/net" sh -ec 'ip link add hub address 02:00:00:00:00:01 type bridge
        ip address add "$1/24" dev hub
        ip link set hub up' sh "$HUB_ADDRESS"
    # The namespace is mounted, so the directory stays, and what says that it is whole is its name.
    mv -T "$state.new" "$state"
}

# enlist NAME FLEET: gives the node the first address that no other node of the fleet has.
enlist() {
    local name=$1 fleet=$2 number taken
    raise_hub "$fleet"
    mkdir -p "$RUN/$name"
    taken=$(for member in $(members "$fleet"); do cat "$RUN/$member/address"; done)
    for number in {10..250}; do
        if ! grep -qxF "$FLEET_RANGE.$number" <<<"$taken"; then
            echo "$FLEET_RANGE.$number" >"$RUN/$name/address"
            echo "$fleet" >"$RUN/$name/fleet"
            return
        fi
    done
    die "fleet $fleet has no address left"
}

# plug NAME: a namespace of its own with one cable, to the hub. A node whose plug is pulled has none, as
# if the machine were gone.
plug() {
    local fleet address
    fleet=$(fleet_of "$1")
    [[ -n $fleet ]] || return 0
    address=$(cat "$RUN/$1/address")
    unplug "$1"
    hold_namespace "$RUN/$1/net"
    in_hub "$fleet" sh -ec 'ip link add "$1" type veth peer name host0 netns "$2"
        ip link set "$1" master hub up' sh "node${address##*.}" "$RUN/$1/net"
    nsenter --net="$RUN/$1/net" sh -ec 'ip address add "$1/24" dev host0
        ip link set host0 up' sh "$address"
}
unplug() {
    local fleet
    fleet=$(fleet_of "$1")
    [[ -n $fleet ]] || return 0
    # The kernel takes a namespace down in its own time; the cable's end in the hub is gone at once.
    in_hub "$fleet" ip link delete "node$(sed 's/.*\.//' "$RUN/$1/address")" 2>/dev/null || true
    drop_namespace "$RUN/$1/net"
}

# discharge NAME: the last one puts out the light.
discharge() {
    local fleet
    fleet=$(fleet_of "$1")
    [[ -n $fleet ]] || return 0
    unplug "$1"
    rm -f "$RUN/$1/fleet"
    [[ -n $(members "$fleet") ]] || dissolve "$fleet"
}

dissolve() {
    local state
    state=$(fleet_state "$1")
    etcd_stop "$1"
    hub_stop "$1"
    drop_namespace "$state/net"
    rm -rf --one-file-system "$state" "$(fleet_home "$1")"
}

lab_disband() {
    need_fleet "${1:-}"
    local member
    for member in $(members "$1"); do lab_stop "$member"; done
    # One that never had a node.
    if fleet_exists "$1"; then with_fleet_lock dissolve "$1"; fi
}

lab_address() {
    need_node "${1:-}"
    cat "$RUN/$1/address" 2>/dev/null || die "node $1 is in no fleet"
}

# lab_cable NAME in|out: at the hub's end, where the node cannot put it back.
lab_cable() {
    need_node "${1:-}"
    local fleet state=${2:-}
    fleet=$(fleet_of "$1")
    [[ -n $fleet ]] || die "node $1 is in no fleet"
    case $state in
        in) state=up ;;
        out) state=down ;;
        *) misuse "a cable is in or out, not '$state'" ;;
    esac
    in_hub "$fleet" ip link set "node$(sed 's/.*\.//' "$RUN/$1/address")" "$state"
}
