# What the lab needs of the machine it runs on.
# shellcheck shell=bash

# Program and the Debian package that brings it.
HOST_PROGRAMS=(
    debootstrap:debootstrap
    systemd-nspawn:systemd-container
    mksquashfs:squashfs-tools
    nsenter:util-linux
    unshare:util-linux
    flock:util-linux
    sha256sum:coreutils
    ip:iproute2
    openssl:openssl
    etcd:etcd-server
    etcdctl:etcd-client
)

missing_packages() {
    local pair
    for pair in "${HOST_PROGRAMS[@]}"; do
        command -v "${pair%%:*}" >/dev/null || echo "${pair#*:}"
    done | sort -u
}

# What no package can mend.
unfit() {
    ((EUID == 0)) || echo "root (this is user $(id -un))"
    [[ $(dpkg --print-architecture 2>/dev/null) == amd64 ]] || echo "a Debian machine of architecture amd64"
    [[ -d /sys/fs/cgroup/unified || -f /sys/fs/cgroup/cgroup.controllers ]] ||
        echo "a cgroup v2 hierarchy at /sys/fs/cgroup or /sys/fs/cgroup/unified"
    [[ -c /dev/fuse ]] || echo "/dev/fuse (snaps are mounted with it)"
}

lab_available() {
    local missing package
    missing=$(
        unfit
        for package in $(missing_packages); do echo "package $package"; done
    )
    [[ -z $missing ]] && return
    say "cannot run here; missing:"
    printf '  %s\n' "${missing//$'\n'/$'\n  '}" >&2
    exit 1
}

install_host_packages() {
    local lacking packages
    lacking=$(unfit)
    [[ -z $lacking ]] || die "cannot run here; missing: ${lacking//$'\n'/; }"
    mapfile -t packages < <(missing_packages)
    ((${#packages[@]})) || return 0
    say "installing ${packages[*]}"
    # A fleet's etcd is one of its own: Debian's service would run, and listen, for nobody.
    if [[ " ${packages[*]} " == *" etcd-server "* && -d /run/systemd/system ]]; then
        systemctl mask --quiet etcd.service
        say "masked etcd.service, which would have been started; 'systemctl unmask etcd' lets it run"
    fi
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >&2
}

# The archive that this machine's own apt uses, so that the lab reaches what the machine reaches.
mirror() {
    if [[ -n ${HOLDFAST_LAB_MIRROR:-} ]]; then
        echo "$HOLDFAST_LAB_MIRROR"
        return
    fi
    local uri
    uri=$(apt-get indextargets --format "\$(REPO_URI)" 'Created-By: Packages' |
        grep -m 1 -E '/debian/?$') ||
        die "no Debian archive in this machine's apt configuration: set HOLDFAST_LAB_MIRROR"
    echo "${uri%/}"
}

# Downloads go through the proxy that this machine's apt is told to use, if any.
export_proxy() {
    local proxy=''
    eval "$(apt-config shell proxy Acquire::http::Proxy)"
    [[ -z $proxy ]] || export http_proxy=$proxy
}
