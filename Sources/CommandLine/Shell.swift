/// A shell that completes what is typed, and the script by which it does.
///
/// Each script asks the program itself (`PROGRAM complete -- WORDS`), so that it knows what the program knows. An answer is a
/// word a line, behind a tab what it is for; `:files` and `:directories` stand for what the shell knows best.
public enum Shell: String, CaseIterable, Sendable {
    case bash, zsh, fish

    /// The script for a program that is found by its name.
    public func script(for program: String) -> String {
        let template =
            switch self {
            case .bash: bashScript
            case .zsh: zshScript
            case .fish: fishScript
            }
        return template.split(separator: "PROGRAM", omittingEmptySubsequences: false).joined(
            separator: program)
    }
}

// Bash splits words at = and : as well; the line itself is split at blanks instead, and what bash keeps is cut off again.
private let bashScript = #"""
    # bash completion for PROGRAM
    _PROGRAM() {
        local IFS=$' \t\n' typed word cut="" answer kind=""
        read -ra typed <<<"${COMP_LINE:0:COMP_POINT}"
        [[ ${COMP_LINE:0:COMP_POINT} != *[[:space:]] ]] || typed+=("")
        word=${typed[${#typed[@]} - 1]}
        [[ $word != *[=:]* ]] || cut=${word%"${word##*[=:]}"}
        COMPREPLY=()
        while IFS= read -r answer; do
            answer=${answer%%$'\t'*}
            case $answer in
            :files) kind=file ;;
            :directories) kind=directory ;;
            "$word"*) COMPREPLY+=("${answer#"$cut"}") ;;
            esac
        done < <(PROGRAM complete -- "${typed[@]:1}" 2>/dev/null)
        [[ -n $kind ]] || return 0
        compopt -o filenames 2>/dev/null
        while IFS= read -r answer; do
            COMPREPLY+=("$answer")
        done < <(compgen -A "$kind" -- "${word#"$cut"}")
    }
    complete -F _PROGRAM PROGRAM

    """#

private let zshScript = #"""
    #compdef PROGRAM
    _PROGRAM() {
        local -a answers
        local answer kind=
        for answer in "${(@f)$(PROGRAM complete -- "${(@Q)words[2,CURRENT-1]}" "$PREFIX" 2>/dev/null)}"; do
            case $answer in
                :files) kind=files ;;
                :directories) kind=directories ;;
                ?*) answers+=("${${answer%%$'\t'*}//:/\\:}:${answer#*$'\t'}") ;;
            esac
        done
        (( ! $#answers )) || _describe -t values value answers
        [[ -n $kind ]] || return 0
        [[ $PREFIX != --*=* ]] || compset -P '*='
        if [[ $kind == files ]]; then _files; else _files -/; fi
    }
    if [[ $funcstack[1] == _PROGRAM ]]; then
        _PROGRAM "$@"
    else
        compdef _PROGRAM PROGRAM
    fi

    """#

private let fishScript = #"""
    # fish completion for PROGRAM
    function __PROGRAM_complete
        set -l typed (commandline -opc) (commandline -ct)
        for answer in (PROGRAM complete -- $typed[2..-1] 2>/dev/null)
            switch $answer
                case ':files'
                    __fish_complete_path (commandline -ct)
                case ':directories'
                    __fish_complete_directories (commandline -ct) ''
                case '*'
                    echo $answer
            end
        end
    end
    complete -c PROGRAM -f -a '(__PROGRAM_complete)'

    """#
