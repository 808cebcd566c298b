# MicroK8s: a node with Debian's snapd, whose daemon is one that trusts a store of the node's own.
# shellcheck shell=bash

SNAPD_PACKAGES=(snapd squashfuse fuse3 squashfs-tools jq)
SNAPD_SECONDS=60
REFRESH_SECONDS=120
STORE=/srv/labstore
STORE_ADDRESS=127.0.0.1:18411

snapd_packages() { echo "$CACHE/snapd-packages-$(key build_snapd_packages "$(base_image)" "${SNAPD_PACKAGES[@]}")"; }
snapd_daemon() { echo "$CACHE/snapd-daemon-$(key build_snapd_daemon "$(toolchain)")"; }
labstore() { echo "$CACHE/labstore-$(key build_labstore "$(toolchain)" "$LAB_DIR"/labstore/*)"; }
microk8s_daemons() {
    local sources
    mapfile -t sources < <(standin_sources microk8s)
    echo "$CACHE/microk8s-daemons-$(key build_microk8s_daemons "$(toolchain)" "${sources[@]}")"
}
snapd_root() {
    echo "$CACHE/snapd-root-$(key build_snapd_root "$STORE" "$STORE_ADDRESS" "$(snapd_packages)" \
        "$(snapd_daemon)" "$(labstore)" "$(microk8s_daemons)")"
}
snapd_image() { echo "$CACHE/snapd-image-$(key build_snapd_image "$(declare -f settle_snapd)" "$(snapd_root)")"; }

build_snapd_packages() {
    cp -a "$(base_image)/root" "$1/root"
    add_packages "$1/root" "${SNAPD_PACKAGES[@]}"
}

# Which keys snapd trusts is compiled in, so Debian's own daemon cannot be told of a local store.
build_snapd_daemon() {
    mkdir "$1/empty"
    logged "$1/build.log" in_toolchain "$1/empty" "$1" env GO111MODULE=off GOPATH=/usr/share/gocode sh -ec '
        version=$(dpkg-query -W -f "\${Version}" golang-github-snapcore-snapd-dev)
        exec go build -trimpath -tags "withtestkeys nosecboot" \
            -ldflags "-w -s -X github.com/snapcore/snapd/snapdtool.Version=$version" \
            -o /mnt/out/snapd github.com/snapcore/snapd/cmd/snapd'
}

build_labstore() {
    logged "$1/build.log" in_toolchain "$LAB_DIR/labstore" "$1" env GO111MODULE=off GOPATH=/usr/share/gocode \
        go build -trimpath -ldflags "-w -s" -o /mnt/out/labstore .
}

build_microk8s_daemons() {
    logged "$1/build.log" in_toolchain "$LAB_DIR/standins" "$1" sh -ec 'cd microk8s; exec ./build /mnt/out/daemon'
}

build_snapd_root() {
    local root=$1/root
    cp -a "$(snapd_packages)/root" "$root"
    install "$(snapd_daemon)/snapd" "$root/usr/lib/snapd/snapd"
    install "$(labstore)/labstore" "$root/usr/local/bin/labstore"
    mkdir -p "$root/usr/local/lib/holdfast-lab" "$root/var/lib/snapd/seed/assertions" \
        "$root/etc/systemd/system.conf.d"
    install "$(microk8s_daemons)/daemon" "$LAB_DIR"/standins/microk8s/{make-revision,make-bases,microk8s} \
        "$root/usr/local/lib/holdfast-lab"
    # Or snapd waits for the clock to be set, for up to ten minutes.
    rm "$root/usr/share/dbus-1/system-services/org.freedesktop.timedate1.service"
    printf '[Manager]\nDefaultEnvironment=SNAP_REEXEC=0\n' >"$root/etc/systemd/system.conf.d/lab.conf"
    cat >"$root/etc/systemd/system/labstore.service" <<UNIT
[Unit]
Before=snapd.service
[Service]
ExecStart=/usr/local/bin/labstore -dir $STORE serve $STORE_ADDRESS
[Install]
WantedBy=multi-user.target
UNIT
    logged "$1/image.log" unshare --mount --propagation private chroot "$root" sh -ec '
        mount -t proc proc /proc
        systemctl enable --quiet labstore.service
        labstore -dir "$1" init "http://$2"
        bases=$(mktemp -d)
        /usr/local/lib/holdfast-lab/make-bases "$bases"
        for snap in bare snapd; do labstore -dir "$1" publish "$bases/$snap.snap" 1 latest/stable; done
        rm -r "$bases"
        cp "$1"/asserts/model,* /var/lib/snapd/seed/assertions/model
        cp "$1"/asserts/account-key,* /var/lib/snapd/seed/assertions/store.account-key' sh "$STORE" "$STORE_ADDRESS"
}

# The first start of snapd (seeding, a serial, the snaps that every snap needs) takes longer than a
# boot, so it is done once. Nodes of this image share their snapd's serial.
build_snapd_image() {
    local node=first-snapd
    ! node_exists "$node" || lab_stop "$node"
    record_node "$node" "$(snapd_root)" --private-network
    power_on "$node"
    settle_snapd "$node"
    quietly node_run "$node" systemctl poweroff || true
    await_power_off "$node"
    cp -a "$(node_root "$node")" "$1/root"
    rm -rf "$1"/root/var/log/journal/* "$1/root/etc/hostname"
    lab_stop "$node"
}

prepare_microk8s() {
    prepare_base
    # Mostly a download, beside a build.
    ensure "$(snapd_packages)" build_snapd_packages &
    local downloading=$!
    prepare_toolchain
    ensure "$(snapd_daemon)" build_snapd_daemon
    ensure "$(labstore)" build_labstore
    ensure "$(microk8s_daemons)" build_microk8s_daemons
    wait "$downloading"
    ensure "$(snapd_root)" build_snapd_root
    ensure "$(snapd_image)" build_snapd_image
}

# settle_snapd NAME: makes a fresh snapd one that refreshes by itself from its store: it knows the
# store, has a serial, and has lost the two hours' hold that seeding sets.
settle_snapd() {
    local name=$1
    within "$SNAPD_SECONDS" quietly node_run "$name" snap wait system seed.loaded ||
        die "snapd of node $name is not seeded after $SNAPD_SECONDS s"
    # snapd asks for its serial only once there is a snap.
    node_run "$name" sh -ec 'snap ack "$1"/asserts/store,lab-store
        snap set system proxy.store=lab-store
        snap install snapd bare' sh "$STORE" >/dev/null 2>&1 || die "node $name cannot install from its own store"
    within "$SNAPD_SECONDS" has_serial "$name" || die "snapd of node $name got no serial in $SNAPD_SECONDS s"
    node_run "$name" snap unset system refresh.hold
}

quietly() { "$@" >/dev/null 2>&1; }
has_serial() { node_run "$1" snap model --serial 2>/dev/null | grep -q '^serial: *lab-'; }

need_snapd() {
    need_node "${1:-}"
    [[ $(cat "$RUN/$1/image") == "$CACHE"/snapd-image-* ]] ||
        die "node $1 has no snapd: boot it with --image snapd"
}

publish_microk8s() {
    need_snapd "${1:-}"
    local name=$1 version=${2:-} revision=${3:-} fault='' channels=()
    check_version "$version"
    [[ $revision =~ ^[0-9]+$ ]] || misuse "a revision is a number, not '$revision'"
    shift 3
    while (($#)); do
        case $1 in
            --broken) fault=${2:?}; shift 2 ;;
            -*) misuse "publish does not know '$1'" ;;
            *) channels+=("$1"); shift ;;
        esac
    done
    ((${#channels[@]})) || misuse "publish needs a channel"
    [[ $fault =~ ^(|crash|start|hook|never-ready|hang|dies-after=[0-9]+)$ ]] ||
        misuse "a revision is broken as crash, start, hook, never-ready, hang or dies-after=SECONDS, not '$fault'"
    node_run "$name" sh -ec '
        store=$1 version=$2 revision=$3 fault=$4
        shift 4
        out=$(mktemp -d)
        /usr/local/lib/holdfast-lab/make-revision "$version" "$fault" "$out/microk8s.snap"
        labstore -dir "$store" publish "$out/microk8s.snap" "$revision" "$@"
        rm -r "$out"' sh "$STORE" "$version" "$revision" "$fault" "${channels[@]}"
}

install_microk8s() {
    need_snapd "${1:-}"
    [[ -n ${2:-} ]] || misuse "install-microk8s needs a channel"
    node_run "$1" snap install microk8s --classic --channel="$2" >&2
}

# refresh-now NAME [--no-wait]: a real auto-refresh. snapd keeps the time of its last attempt in
# memory and that of its last refresh in its state, so it is stopped, the state aged, and started.
refresh_now() {
    need_snapd "${1:-}"
    local name=$1 before
    before=$(node_run "$name" jq '.["last-change-id"]' /var/lib/snapd/state.json)
    node_run "$name" sh -ec '
        systemctl stop snapd.service snapd.socket
        cd /var/lib/snapd
        jq ".data[\"last-refresh\"] = \"2000-01-01T00:00:00Z\"" state.json >state.json.new
        chmod 600 state.json.new
        mv state.json.new state.json
        systemctl start snapd.socket snapd.service'
    [[ ${2:-} != --no-wait ]] || return 0
    within "$REFRESH_SECONDS" refresh_over "$name" ||
        die "snapd of node $name did not finish an auto-refresh within $REFRESH_SECONDS s"
    snapd_get "$name" '/v2/changes?select=all' |
        node_run "$name" jq -r --argjson before "$before" '[.result[]? | select((.id | tonumber) > $before)]
            | if length == 0 then "nothing to refresh" else .[] | "\(.id)\t\(.kind)\t\(.status)\t\(.summary)" end'
}

snapd_get() { node_run "$1" curl -sS --max-time 30 --unix-socket /run/snapd.socket "http://localhost$2"; }

# An attempt moves the time of the last refresh on, whether or not there was anything to do.
refresh_over() {
    snapd_get "$1" /v2/system-info 2>/dev/null |
        node_run "$1" jq -e '.result.refresh.last | startswith("2000-") | not' >/dev/null 2>&1 &&
        snapd_get "$1" '/v2/changes?select=in-progress' |
        node_run "$1" jq -e '[.result[]? | select(.kind == "auto-refresh")] | length == 0' >/dev/null 2>&1
}
