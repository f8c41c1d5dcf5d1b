import ServiceKernel

/// Completion of `intelmq` itself: workers and their verbs. That of `intelmqctl` comes from its command tree.
enum Completion {
    static let shells = ["bash", "zsh", "fish"]

    /// The script for a shell; nil for one that is not known.
    static func script(for shell: String, _ roster: Roster) -> String? {
        let first = (roster.names + FleetProgram.verbs).joined(separator: " ")
        let second = FleetProgram.workerVerbs.joined(separator: " ")
        switch shell {
        case "bash":
            return """
                _intelmq() {
                    local current="${COMP_WORDS[COMP_CWORD]}"
                    case "$COMP_CWORD" in
                    1) COMPREPLY=($(compgen -W "\(first)" -- "$current")) ;;
                    2) COMPREPLY=($(compgen -W "\(second)" -- "$current")) ;;
                    *) COMPREPLY=($(compgen -f -- "$current")) ;;
                    esac
                }
                complete -F _intelmq intelmq

                """
        case "zsh":
            return """
                #compdef intelmq
                case $CURRENT in
                2) compadd -- \(first) ;;
                3) compadd -- \(second) ;;
                *) _files ;;
                esac

                """
        case "fish":
            return """
                complete -c intelmq -n "test (count (commandline -opc)) -eq 1" -f -a "\(first)"
                complete -c intelmq -n "test (count (commandline -opc)) -eq 2" -f -a "\(second)"

                """
        default: return nil
        }
    }
}
