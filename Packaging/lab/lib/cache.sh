# The cache: directories named after what they were made from, and either whole or absent.
# shellcheck shell=bash

# key FUNCTION WORD|FILE...: a name for what FUNCTION makes out of these words and files.
key() {
    local builder=$1 part
    shift
    {
        declare -f "$builder"
        for part; do
            if [[ -f $part ]]; then cat "$part"; else printf '%s\n' "$part"; fi
        done
    } | sha256sum | cut -c 1-16
}

# ensure DIRECTORY BUILDER ARGUMENT...: has BUILDER fill the directory, once.
# The builder works in a temporary directory that takes its place by a rename, so whatever is
# killed leaves nothing that looks whole. Its children inherit the lock: nobody clears the
# temporary directory while one of them still writes to it.
ensure() {
    local directory=$1 builder=$2 name began
    shift 2
    name=${directory#"$CACHE/"}
    if [[ -d $directory ]]; then
        touch "$CACHE/${name%%/*}"
        return
    fi
    name=${name//\//,}
    mkdir -p "$CACHE/tmp" "${directory%/*}"
    (
        exec 9>"$CACHE/tmp/$name.lock"
        flock 9
        [[ -d $directory ]] && exit
        rm -rf --one-file-system "$CACHE/tmp/$name"
        mkdir "$CACHE/tmp/$name"
        began=$SECONDS
        "$builder" "$CACHE/tmp/$name" "$@"
        mv -T "$CACHE/tmp/$name" "$directory"
        say "made $name in $((SECONDS - began)) s"
    )
}

# prune: removes entries that nobody has asked for in two days. The sources of several branches
# may share a cache, so "not mine" is no reason.
prune() {
    local entry
    for entry in "$CACHE"/*-????????????????; do
        [[ -n $(find "$entry" -maxdepth 0 -mtime +1) ]] || continue
        grep -qsxF "$entry" /dev/null "$RUN"/*/image || rm -rf --one-file-system "$entry"
    done
}
