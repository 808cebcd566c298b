# Stand-in binaries, built the way the distributions' own are, one for each version asked for.
# shellcheck shell=bash

standin_sources() { find "$LAB_DIR/standins/kube" "$LAB_DIR/standins/$1" -type f | sort; }

standin_directory() {
    local sources
    mapfile -t sources < <(standin_sources "$1")
    echo "$CACHE/$1-$(key build_standin "$(toolchain)" "${sources[@]}")"
}

# build_standin DIRECTORY DISTRIBUTION VERSION FAULT
build_standin() {
    local out=$1 distribution=$2 version=$3 fault=$4 commit
    commit=$(sha256sum <<<"$version" | cut -c 1-8)
    logged "$out/build.log" in_toolchain "$LAB_DIR/standins" "$out" sh -ec '
        cd "$1"
        exec ./build "$2" "$3" "$4" "/mnt/out/$1"' sh "$distribution" "$version" "$commit" "$fault"
}

# standin DISTRIBUTION VERSION [FAULT]: prints the path of the binary.
standin() {
    local distribution=$1 version=$2 fault=${3:-} directory
    check_version "$version"
    [[ $fault =~ ^(|never-ready|exit|hang|dies-after=[0-9]+)$ ]] ||
        misuse "a release is broken as never-ready, exit, hang or dies-after=SECONDS, not '$fault'"
    directory=$(standin_directory "$distribution")/$version${fault:+,$fault}
    [[ -d $directory ]] || prepare_toolchain
    ensure "$directory" build_standin "$distribution" "$version" "$fault"
    echo "$directory/$distribution"
}

# Building any version fills the compiler's cache; every later one is little more than a link.
prepare_standin() {
    prepare_toolchain
    standin "$1" v1.33.4 >/dev/null
}

lab_binary() {
    local distribution=${1:-} version=${2:-} fault=''
    [[ $distribution =~ ^(k3s|k0s)$ ]] || misuse "binary k3s or binary k0s"
    [[ ${3:-} != --broken ]] || fault=${4:?}
    standin "$distribution" "$version" "$fault"
}
