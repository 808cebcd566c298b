# What the installers have in common. Every function works in a running node.
# shellcheck shell=bash

START_SECONDS=30

# put_binary NAME BINARY TARGET MODE: as installers do it, downloaded to /tmp and moved into place.
put_binary() {
    local name=$1 binary=$2 target=$3 mode=$4 download
    node_run "$name" mkdir -p "$(dirname "$target")"
    download=$(node_run "$name" mktemp -d -t lab-install.XXXXXX)/download
    put "$name" "$download" "$mode" <"$binary"
    node_run "$name" mv -f "$download" "$target"
    node_run "$name" rm -r "${download%/*}"
}

# start_unit NAME UNIT HOW: HOW is wait, no-wait or no-start. The start itself never blocks: a
# unit with TimeoutStartSec=0 may start for ever.
start_unit() {
    local name=$1 unit=$2 how=$3
    node_run "$name" systemctl daemon-reload
    node_run "$name" systemctl enable --quiet "$unit"
    [[ $how != no-start ]] || return 0
    node_run "$name" systemctl restart --no-block "$unit"
    [[ $how == wait ]] || return 0
    node_run "$name" timeout "$START_SECONDS" sh -c \
        'while [ -n "$(systemctl list-jobs --no-legend "$1")" ]; do sleep 0.1; done' sh "$unit" || true
    node_run "$name" systemctl is-active --quiet "$unit" && return
    node_run "$name" systemctl status --no-pager --lines 10 "$unit" >&2 || true
    die "$unit of node $name is not active after $START_SECONDS s"
}
