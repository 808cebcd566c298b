# Roots: the Debian base, which is also the plain node's image, and the build root.
# shellcheck shell=bash

# A node, and what Holdfast's programs load at run time.
BASE_PACKAGES=(
    systemd systemd-sysv dbus libpam-systemd ca-certificates curl procps iproute2 e2fsprogs
    libsystemd0 libsqlite3-0 libcurl4t64 libssl3t64 libyaml-0-2
)

# golang-github-snapcore-snapd-dev declares no dependencies, so what snapd imports stands here.
TOOLCHAIN_PACKAGES=(
    golang-go gcc libc6-dev pkgconf libsqlite3-dev
    golang-github-snapcore-snapd-dev libseccomp-dev libcap-dev libudev-dev libglib2.0-dev
    golang-dbus-dev golang-github-bmatcuk-doublestar-dev golang-github-coreos-bbolt-dev
    golang-github-coreos-go-systemd-dev golang-github-gorilla-mux-dev
    golang-github-jessevdk-go-flags-dev golang-github-juju-ratelimit-dev
    golang-github-kr-pretty-dev golang-github-mvo5-goconfigparser-dev
    golang-github-seccomp-libseccomp-golang-dev golang-golang-x-crypto-dev
    golang-golang-x-xerrors-dev golang-gopkg-check.v1-dev golang-gopkg-macaroon.v1-dev
    golang-gopkg-mgo.v2-dev golang-gopkg-retry.v1-dev golang-gopkg-tomb.v2-dev
    golang-gopkg-tylerb-graceful.v1-dev golang-gopkg-yaml.v2-dev golang-gopkg-yaml.v3-dev
)

# The Debian before, for what is installed on it by its own package alone.
OLD_SUITE=bookworm
OLD_PACKAGES=("${BASE_PACKAGES[@]/%t64/}")

old_image() { echo "$CACHE/$OLD_SUITE-$(key build_old "$OLD_SUITE" "${OLD_PACKAGES[@]}")"; }
base_image() { echo "$CACHE/base-$(key build_base "$SUITE" "${BASE_PACKAGES[@]}")"; }
toolchain() { echo "$CACHE/toolchain-$(key build_toolchain "$(base_image)" "${TOOLCHAIN_PACKAGES[@]}")"; }

# logged FILE COMMAND...: keeps the command's output in the file, and shows its end on failure.
logged() {
    local log=$1
    shift
    "$@" >"$log" 2>&1 || {
        tail -n 30 "$log" >&2
        die "failed: $*"
    }
}

build_base() {
    local root=$1/root
    export_proxy
    # In a mount namespace of its own, so that a killed debootstrap leaves no mount behind.
    logged "$1/debootstrap.log" unshare --mount --propagation private \
        debootstrap --variant=minbase --include="$(IFS=, && echo "${BASE_PACKAGES[*]}")" \
        "$SUITE" "$root" "$(mirror)"
    echo force-unsafe-io >"$root/etc/dpkg/dpkg.cfg.d/lab"
    # A node has no network; these would only disturb what is measured.
    local unit
    for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer \
        e2scrub_reap.service fstrim.timer getty.target systemd-modules-load.service; do
        ln -s /dev/null "$root/etc/systemd/system/$unit"
    done
    mkdir -p "$root/var/log/journal"
    rm -rf "$root"/var/cache/apt/archives/*.deb "$root/etc/resolv.conf"
}

build_old() {
    local SUITE=$OLD_SUITE BASE_PACKAGES=("${OLD_PACKAGES[@]}")
    build_base "$1"
}

# add_packages ROOT PACKAGE...: installs into a root that is not running.
add_packages() {
    local root=$1
    shift
    export_proxy
    cp -L /etc/resolv.conf "$root/etc/resolv.conf"
    printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
    chmod 755 "$root/usr/sbin/policy-rc.d"
    logged "$root/../apt.log" unshare --mount --propagation private chroot "$root" sh -ec '
        mount -t proc proc /proc
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"
        apt-get clean' sh "$@"
    rm "$root/usr/sbin/policy-rc.d" "$root/etc/resolv.conf"
}

build_toolchain() {
    cp -a "$(base_image)/root" "$1/root"
    add_packages "$1/root" "${TOOLCHAIN_PACKAGES[@]}"
}

# in_toolchain SOURCE OUT COMMAND...: runs the command in the build root, which it cannot change:
# the source is a copy of its own at /build, results go to /out. The Go cache is shared, and all
# mounts and processes end with the command.
in_toolchain() {
    local source=$1 out=$2
    shift 2
    mkdir -p "$CACHE/go-cache"
    SOURCE=$source OUT=$out ROOT=$(toolchain)/root GO_CACHE=$CACHE/go-cache \
        unshare --mount --propagation private --pid --fork --kill-child bash -ec '
        mount -t proc proc "$ROOT/proc"
        mount --bind /dev "$ROOT/dev"
        mount -t tmpfs tmpfs "$ROOT/mnt"
        mkdir "$ROOT"/mnt/{build,out,go-cache,tmp}
        cp -a "$SOURCE/." "$ROOT/mnt/build"
        mount --bind "$OUT" "$ROOT/mnt/out"
        mount --bind "$GO_CACHE" "$ROOT/mnt/go-cache"
        exec env -i PATH=/usr/bin:/usr/sbin HOME=/mnt/tmp TMPDIR=/mnt/tmp GOCACHE=/mnt/go-cache \
            GOTOOLCHAIN=local GOPROXY=off GOTELEMETRY=off chroot "$ROOT" sh -ec "cd /mnt/build; \"\$@\"" sh "$@"
        ' bash "$@"
}

prepare_base() {
    ensure "$(base_image)" build_base
}

prepare_old() {
    ensure "$(old_image)" build_old
}

prepare_toolchain() {
    prepare_base
    ensure "$(toolchain)" build_toolchain
}
