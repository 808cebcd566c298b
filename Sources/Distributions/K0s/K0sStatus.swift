import FoundationEssentials
import Host
import Model
import Web

/// The version of the k0s that runs, by its status socket; nil where it does not answer in time, or something else.
///
/// On nodes with workloads k0s asks the API before it answers, so this can take as long as it is let.
///
/// - Parameter patience: for the whole exchange, in milliseconds.
func k0sStatusVersion(socket: String, root: Root, patience: Int) -> Version? {
    guard root.exists(socket), let path = try? root.resolve(socket) else { return nil }
    let client = HTTPClient(
        .unixSocket(path: path), timeoutMilliseconds: patience, connectTimeoutMilliseconds: patience,
        maximumBodyBytes: 1 << 20)
    guard let response = try? client.send(HTTPRequest(.get, "/status")), response.status == 200 else {
        return nil
    }
    return k0sVersion(inStatus: response.body)
}

/// The version in k0s's answer, whose keys are the names of Go fields; nil where it is no version of k0s.
func k0sVersion(inStatus body: [UInt8]) -> Version? {
    struct Status: Decodable { var Version: String }
    guard let status = try? JSONDecoder().decode(Status.self, from: Data(body)),
        let version = Model.Version(status.Version), version.distribution == .k0s
    else { return nil }
    return version
}
