import Model

/// How far away an instant is, as a person would say it: `in 5 h`, `3 min ago`, `now`.
func relative(_ instant: Instant, to now: Instant) -> String {
    let span = instant - now
    let text = rough(TimeSpan(seconds: Int64(clamping: span.seconds.magnitude)))
    if span.seconds == 0 { return "now" }
    return span.seconds > 0 ? "in \(text)" : "\(text) ago"
}

/// A length of time in its largest unit, with the next one where the first is small: `2 d 4 h`, `35 min`, `8 s`.
func rough(_ span: TimeSpan) -> String {
    let seconds = span.seconds
    switch seconds {
    case ..<60: return "\(seconds) s"
    case ..<3600: return "\(seconds / 60) min"
    case ..<86_400:
        let minutes = seconds % 3600 / 60
        return "\(seconds / 3600) h" + (seconds < 6 * 3600 && minutes > 0 ? " \(minutes) min" : "")
    default:
        let hours = seconds % 86_400 / 3600
        return "\(seconds / 86_400) d" + (seconds < 7 * 86_400 && hours > 0 ? " \(hours) h" : "")
    }
}
