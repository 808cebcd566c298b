internal import Glibc

/// Waits, whatever signals come meanwhile.
public func pause(seconds: Int64) {
    var left = UInt32(clamping: seconds)
    while left > 0 { left = sleep(left) }
}
