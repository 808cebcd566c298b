/// The drop-in by which systemd asks the gate before it starts a unit.
///
/// Whatever becomes of the gate, only its exit status 77 refuses (invariant 3); where it ended in any other way than
/// by deciding, the start is marked as one that *last ran* does not know of.
///
/// - Parameters:
///   - program: the path of the gate.
///   - state: the state directory.
///   - isSnap: whether it stands before a snap's services, whose start limit a veto would use up (`%n` is each one's
///     own name).
public func gateDropIn(program: String, state: String, isSnap: Bool) -> String {
    let missed = GatePlaces(state: state).missed(unit: "%n")
    // touch, and no redirection: where one fails, some shells end at once, and the unit would not start. What is said
    // is said in a shell of its own, for the same reason.
    let marks = missed.map { "timeout 1 touch \($0) 2>/dev/null" }.joined(separator: " || ")
    return """
        # Written by 'holdfast adopt'; 'holdfast release' takes it away, 'holdfast pause --for 2h --reason …' lifts it.
        \(isSnap ? "[Unit]\nStartLimitIntervalSec=0\n\n" : "")[Service]
        ExecStartPre=+/bin/sh -c "timeout -k 1 2 \(program) --state \(state) %n; s=$$?; \
        case $$s in 0) ;; 77) exit 1 ;; *) mkdir -p /run/holdfast/missed 2>/dev/null; \(marks); \
        (echo holdfast-gate: %n: it starts unguarded, since the gate ended with status $$s, see holdfast doctor >&2) ;; \
        esac; exit 0"

        """
}
