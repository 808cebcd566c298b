# A node: an image with a writable layer of its own, booted by systemd-nspawn.
#
#   $CACHE/nodes/NAME/{root,upper,work}   the node's file system
#   $RUN/NAME/image                       the cache entry it was made from
#   $RUN/NAME/option                      what systemd-nspawn is given besides, if anything
#   $RUN/NAME/{supervisor,leader}         "PID START-TIME" of systemd-nspawn and of the node's init
#   $RUN/NAME/{cgroup,boot.log}
# shellcheck shell=bash

BOOT_SECONDS=60
SHUTDOWN_SECONDS=60
HIERARCHIES=(/sys/fs/cgroup /sys/fs/cgroup/{systemd,unified})
NODE_ENVIRONMENT=(
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/snap/bin
    HOME=/root LANG=C.UTF-8 "TERM=${TERM:-dumb}" SNAP_REEXEC=0
)

node_root() { echo "$CACHE/nodes/$1/root"; }

node_exists() { [[ -f $RUN/$1/image ]]; }

need_node() {
    check_name "${1:-}"
    node_exists "$1" || die "there is no node $1 (lab list shows the nodes)"
}

# identity PID: "PID START-TIME", or nothing where no such process lives. A number alone would
# name another process once this one is gone.
identity() {
    local line fields
    line=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
    read -ra fields <<<"${line##*) }"
    [[ ${fields[0]} == [ZX] ]] || echo "$1 ${fields[19]}"
}

# alive NAME supervisor|leader: prints the process's number if it still is the one recorded.
alive() {
    local pid start
    read -r pid start 2>/dev/null <"$RUN/$1/$2" || return 1
    [[ $(identity "$pid") == "$pid $start" ]] && echo "$pid"
}
stopped() { ! alive "$1" "$2" >/dev/null; }

# find_leader NAME: records the supervisor's child that is process 1 of its own namespace.
find_leader() {
    local supervisor child children
    supervisor=$(alive "$1" supervisor) || return 1
    children=$(cat "/proc/$supervisor/task/$supervisor/children") || return 1
    for child in $children; do
        if grep -qs $'^NSpid:.*\t1$' "/proc/$child/status"; then
            identity "$child" >"$RUN/$1/leader"
            return
        fi
    done
    return 1
}

# mount_root NAME: the image below, what the node writes above.
# An overlay above another overlay is refused by the kernel: then the image is copied.
mount_root() {
    local home=$CACHE/nodes/$1 image
    image=$(cat "$RUN/$1/image")
    mountpoint -q "$home/root" && return
    mkdir -p "$home"/{root,upper,work}
    [[ ! -d $home/root/usr ]] || return 0
    if ! mount -t overlay -o "lowerdir=$image/root,upperdir=$home/upper,workdir=$home/work" \
        "lab-$1" "$home/root" 2>/dev/null; then
        cp -a --reflink=auto "$image/root/." "$home/root"
    fi
}

give_identity() {
    local root
    root=$(node_root "$1")
    [[ $(cat "$root/etc/hostname" 2>/dev/null) != "$1" ]] || return 0
    tr -d - </proc/sys/kernel/random/uuid >"$root/etc/machine-id"
    echo "$1" >"$root/etc/hostname"
    printf '127.0.0.1 localhost %s\n::1 localhost\n' "$1" >"$root/etc/hosts"
    [[ -z $(fleet_of "$1") ]] || printf '%s hub\n' "$HUB_ADDRESS" >>"$root/etc/hosts"
}

boot_failed() {
    tail -n 20 "$RUN/$1/boot.log" >&2
    die "node $1 $2; the end of $RUN/$1/boot.log is above"
}

power_on() {
    local name=$1 end state option
    mount_root "$name"
    give_identity "$name"
    option=$(cat "$RUN/$name/option")
    rm -f "$RUN/$name"/{supervisor,leader}
    plug "$name"
    # shellcheck disable=SC2086 # one option, or none
    setsid bash "$LAB_DIR/lib/start-node" "$name" "$(node_root "$name")" "$RUN/$name" $option \
        </dev/null >"$RUN/$name/boot.log" 2>&1 9>&- &
    within 10 test -s "$RUN/$name/supervisor" || boot_failed "$name" "was not started"
    end=$((SECONDS + BOOT_SECONDS))
    while ((SECONDS < end)); do
        stopped "$name" supervisor && boot_failed "$name" "ended while it booted"
        if find_leader "$name"; then
            state=$(node_run "$name" systemctl is-system-running 2>/dev/null) || true
            [[ $state == running || $state == degraded ]] && return
        fi
        sleep 0.1
    done
    boot_failed "$name" "did not come up within $BOOT_SECONDS s (it is '${state:-silent}')"
}

# node_processes NAME: every process in the node's cgroups, which hold nothing else.
node_processes() {
    local cgroup hierarchy
    cgroup=$(cat "$RUN/$1/cgroup" 2>/dev/null) || return 0
    for hierarchy in "${HIERARCHIES[@]}"; do
        [[ ! -d $hierarchy/$cgroup ]] || find "$hierarchy/$cgroup" -name cgroup.procs -exec cat {} + 2>/dev/null || true
    done | sort -un
}

remove_cgroups() {
    local hierarchy cgroup
    cgroup=$(cat "$RUN/$1/cgroup" 2>/dev/null) || return 0
    for hierarchy in "${HIERARCHIES[@]}"; do
        [[ ! -d $hierarchy/$cgroup ]] || find "$hierarchy/$cgroup" -depth -type d -exec rmdir {} + 2>/dev/null ||
            return 1
    done
}

# await_power_off NAME: for a node that was asked to shut down.
await_power_off() {
    within "$SHUTDOWN_SECONDS" stopped "$1" supervisor || die "node $1 does not shut down in $SHUTDOWN_SECONDS s"
    power_off "$1"
}

# The supervisor may be gone before its node is, so what counts is that the cgroups are empty.
power_off() {
    local processes
    mapfile -t processes < <(node_processes "$1")
    ((${#processes[@]} == 0)) || kill -9 "${processes[@]}" 2>/dev/null || true
    within 10 remove_cgroups "$1" || die "processes of node $1 do not end: $(node_processes "$1" | paste -sd ' ')"
    unplug "$1"
}

# make_node NAME KIND NETWORK FLEET: records what the node is made from; booting it does the rest.
make_node() {
    local name=$1 image option='' fleet=$4
    case $2 in
        plain) image=$(base_image) ;;
        snapd) image=$(snapd_image) ;;
        old) image=$(old_image) ;;
        *) misuse "there is no image '$2': plain, old or snapd" ;;
    esac
    [[ -d $image ]] || die "image $2 is not made yet: run lab prepare"
    case $3 in
        private) option=--private-network ;;
        host) ;;
        *) misuse "a node's network is private or host, not '$3'" ;;
    esac
    if [[ -n $fleet ]]; then
        check_name "$fleet"
        with_fleet_lock enlist "$name" "$fleet"
        option=--network-namespace-path=$RUN/$name/net
    fi
    record_node "$name" "$image" "$option"
}

record_node() {
    mkdir -p "$RUN/$1"
    echo "$3" >"$RUN/$1/option"
    echo "$2" >"$RUN/$1/image"
}

lab_boot() {
    local name=${1:-} image=plain network=private fleet=''
    check_name "$name"
    shift
    while (($#)); do
        case $1 in
            --image) image=${2:?}; shift 2 ;;
            --network) network=${2:?}; shift 2 ;;
            --fleet) fleet=${2:?}; shift 2 ;;
            *) misuse "boot does not know '$1'" ;;
        esac
    done
    if node_exists "$name"; then
        stopped "$name" supervisor || die "node $name is running"
    else
        make_node "$name" "$image" "$network" "$fleet"
    fi
    power_on "$name"
}

# enter NAME COMMAND...: becomes the command, in the node's namespaces and in a cgroup of its own
# there.
enter() {
    local name=$1 leader cgroup hierarchy
    shift
    leader=$(alive "$name" leader) || die "node $name is off"
    cgroup=$(cat "$RUN/$name/cgroup")
    for hierarchy in "${HIERARCHIES[@]}"; do
        [[ -d $hierarchy/$cgroup/payload ]] || continue
        mkdir -p "$hierarchy/$cgroup/payload/lab-run"
        echo $BASHPID >"$hierarchy/$cgroup/payload/lab-run/cgroup.procs"
    done
    exec nsenter --target "$leader" --all env -i "${NODE_ENVIRONMENT[@]}" "$@"
}

node_run() { (enter "$@"); }

# put NAME PATH MODE: writes standard input to a file in the node.
put() { node_run "$1" install -D -m "$3" /dev/stdin "$2"; }

lab_run() {
    need_node "${1:-}"
    (($# > 1)) || misuse "run needs a command"
    enter "$@"
}

lab_shell() {
    need_node "${1:-}"
    enter "$1" bash -l
}

# A running node's /tmp and /run are mounts that the host cannot see, so the copy goes through it.
lab_copy() {
    need_node "${1:-}"
    local name=$1 source=${2:?SRC} target=${3:?DST}
    if stopped "$name" leader; then
        mkdir -p "$(dirname "$(node_root "$name")/$target")"
        cp -a "$source" "$(node_root "$name")/$target"
    elif [[ -d $source ]]; then
        node_run "$name" mkdir -p "$target"
        tar -C "$source" -c . | node_run "$name" tar -C "$target" -x --no-same-owner
    else
        # shellcheck disable=SC2094 # only looked at
        put "$name" "$target" "$(stat -Lc %a "$source")" <"$source"
    fi
}

lab_root() {
    need_node "${1:-}"
    mount_root "$1"
    node_root "$1"
}

lab_reboot() {
    need_node "${1:-}"
    node_run "$1" systemctl reboot || true # it may be killed by what it asked for
    await_power_off "$1"
    power_on "$1"
}

lab_kill() {
    need_node "${1:-}"
    power_off "$1"
}

lab_stop() {
    need_node "${1:-}"
    power_off "$1"
    with_fleet_lock discharge "$1"
    local home=$CACHE/nodes/$1
    if mountpoint -q "$home/root"; then umount "$home/root"; fi
    chattr -R -i "$home/upper" 2>/dev/null || true
    rm -rf --one-file-system "$home" "${RUN:?}/$1"
}

lab_list() {
    local state name
    for state in "$RUN"/*/image; do
        [[ -f $state ]] || continue
        name=$(basename "$(dirname "$state")")
        if stopped "$name" leader; then
            printf '%s\toff\t%s\n' "$name" "$(basename "$(cat "$state")")"
        else
            printf '%s\ton\t%s\n' "$name" "$(basename "$(cat "$state")")"
        fi
    done
}
