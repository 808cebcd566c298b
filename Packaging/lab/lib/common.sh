# What every part of the lab uses: where things are, how it talks, what names are.
# shellcheck shell=bash

# shellcheck disable=SC2034 # used by the files that are sourced after this one
CACHE=${HOLDFAST_LAB_CACHE:-/var/cache/holdfast-lab}
# shellcheck disable=SC2034
RUN=${HOLDFAST_LAB_RUN:-/run/holdfast-lab}
# shellcheck disable=SC2034
SUITE=trixie

say() { printf 'lab: %s\n' "$*" >&2; }
die() {
    say "$*"
    exit 1
}
misuse() {
    say "$*"
    exit 64
}

# within SECONDS COMMAND...: repeats the command until it succeeds, or fails when the time is up.
within() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        ((SECONDS < end)) || return 1
        sleep 0.1
    done
}

# A node's name is also a host name and part of a cgroup's name.
check_name() {
    [[ ${1:-} =~ ^[a-z][a-z0-9-]{0,30}$ ]] ||
        misuse "a node's name is a lower-case letter, then at most 30 of a-z, 0-9 and -, not '${1:-}'"
}

# A distribution's version as its release is tagged: v1.33.4+k3s1, v1.36.3+k0s.2, v1.33.4.
check_version() {
    [[ ${1:-} =~ ^v[0-9]+\.[0-9]+\.[0-9]+([-+][A-Za-z0-9.+-]+)?$ ]] ||
        misuse "a version looks like v1.33.4+k3s1, not '${1:-}'"
}
