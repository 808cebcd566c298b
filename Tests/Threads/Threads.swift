public import Glibc

/// Runs something on a thread of its own, for whoever blocks: on one of Swift's few threads, and on Dispatch's that are no
/// more than processors, it would keep other tests from running.
///
/// - Returns: the thread, which can be joined.
@discardableResult
public func startThread(_ body: @escaping @Sendable () -> Void) -> pthread_t {
    var thread = pthread_t()
    let work = Unmanaged.passRetained(Work(body: body)).toOpaque()
    let code = pthread_create(
        &thread, nil,
        { argument in
            if let argument { Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().body() }
            return nil
        }, work)
    precondition(code == 0, "pthread_create: \(code)")
    return thread
}

/// Runs each of these on a thread of its own, none before all of them are there, and waits for them.
public func runAtOnce(_ work: [@Sendable () -> Void]) {
    let start = Barrier(count: work.count)
    let threads = work.map { one in
        startThread {
            start.wait()
            one()
        }
    }
    for thread in threads { pthread_join(thread, nil) }
}

/// What a thread is handed; it has no other way to be told.
private final class Work: Sendable {
    let body: @Sendable () -> Void

    init(body: @escaping @Sendable () -> Void) { self.body = body }
}

/// Lets nobody through before all have come.
private final class Barrier: @unchecked Sendable {
    private let place = UnsafeMutablePointer<pthread_barrier_t>.allocate(capacity: 1)

    init(count: Int) { pthread_barrier_init(place, nil, UInt32(count)) }

    deinit {
        pthread_barrier_destroy(place)
        place.deallocate()
    }

    func wait() { pthread_barrier_wait(place) }
}
