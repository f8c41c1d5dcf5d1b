import Glibc
import HTTP
import IDF
import ServiceKernel
import StatusDaemon

/// The nodes of a workflow as processes of this machine.
package struct LocalFleet {
    package let directory: String

    /// The fleet whose configuration, state, logs and process ids lie in a folder.
    package init(directory: String) { self.directory = directory }

    /// Starts every node, those at the end first, and returns when all are ready.
    package func start(_ graph: Graph) async throws(Rejection) {
        guard processes().isEmpty else {
            throw .unavailable("a workflow is running in \(directory); stop it: intelmqctl down --directory \(directory)")
        }
        for folder in ["etc/config.d", "state", "log", "run"] { try folder.withFolder(in: directory) }
        // What the folder knows of nodes that are not in the graph any more is forgotten, unless they hold something.
        for name in nodes where !graph.nodes.contains(where: { $0.name == name }) && !SpoolContents.isHeld(in: state(of: name)) {
            unlink(configuration(name))
        }
        do throws(Rejection) {
            for node in graph.leavesFirst {
                let text = graph.file(of: node, state: "\(directory)/state")
                if isDisabled(node.name) { try write(node.name, text) } else { try await launch(node.name, text) }
            }
        } catch {
            _ = await stop()
            throw error
        }
    }

    /// The folder in which a node keeps its state.
    package func state(of node: String) -> String { "\(directory)/state/\(node)" }

    /// The configuration file of a node.
    package func configuration(_ node: String) -> String { "\(directory)/etc/config.d/\(node).yaml" }

    /// The nodes that have been started and not been taken away.
    package var nodes: [String] {
        fileNames(in: "\(directory)/etc/config.d").filter { $0.hasSuffix(".yaml") }.map { String($0.dropLast(5)) }
    }

    /// Writes a node's configuration, for its next start or reload.
    package func write(_ node: String, _ text: String) throws(Rejection) {
        try replaceFile(configuration(node), with: Array(text.utf8), mode: 0o600)
    }

    /// Starts a node with this configuration and returns when it does its work.
    package func launch(_ node: String, _ text: String) async throws(Rejection) {
        try write(node, text)
        try await waitUntilReady(node, try start(node))
    }

    /// Starts the statusd of a node, whose configuration is there.
    @discardableResult
    package func start(_ node: String) throws(Rejection) -> pid_t {
        closeOnSpawn()
        let pid = try spawn(["statusd", "--config", configuration(node)], log: "\(directory)/log/\(node).log")
        try replaceFile("\(directory)/run/\(node).pid", with: Array("\(pid)\n".utf8))
        return pid
    }

    /// Tells a node to finish what is open and to end; false when it still runs after a minute.
    package func end(_ node: String) async -> Bool {
        guard let pid = processes().first(where: { $0.node == node })?.pid else { return true }
        kill(pid, SIGTERM)
        for _ in 0..<3000 {
            var status: Int32 = 0
            _ = waitpid(pid, &status, WNOHANG)
            if !isOurs(pid) {
                unlink("\(directory)/run/\(node).pid")
                return true
            }
            try? await Task.sleep(for: .milliseconds(20))
        }
        return false
    }

    /// Services outlive this program and must not keep open what it has inherited: a pipe of the shell, a socket of a test.
    private func closeOnSpawn() {
        for descriptor in 3..<Int32(min(sysconf(Int32(_SC_OPEN_MAX)), 65536)) where fcntl(descriptor, F_GETFD) >= 0 {
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        }
    }

    /// The gateway's own socket, which only the user of the workflow may open.
    package var gatewaySocket: String { "\(directory)/run/gateway.sock" }

    /// Starts the gateway of a workflow that runs; its configuration is made where there is none.
    package func startGateway(_ graph: Graph) async throws(Rejection) {
        let file = "\(directory)/etc/gateway.yaml"
        if access(file, F_OK) != 0 {
            func text(_ value: String) -> String { String(decoding: JSONValue.string(value).bytes, as: UTF8.self) }
            let made = "settings: {directory: \(text(directory)), graph: \(text(graph.document.file))}\n"
            try replaceFile(file, with: Array(made.utf8), mode: 0o600)
        }
        let log = "\(directory)/log/gateway.log"
        let pid = try spawn(["gateway", "--config", file, "--graph", graph.document.file], log: log)
        try replaceFile("\(directory)/run/gateway.pid", with: Array("\(pid)\n".utf8))
        let socket = ControlSocket(gatewaySocket)
        for _ in 0..<1500 {
            if (try? await socket.call(.get, "/readyz", timeoutMilliseconds: 1000))?.status == 200 { return }
            var status: Int32 = 0
            if waitpid(pid, &status, WNOHANG) == pid {
                unlink("\(directory)/run/gateway.pid")
                let words = readFile(log).map { String(decoding: $0.suffix(2000), as: UTF8.self) } ?? ""
                throw .unavailable("the gateway does not start: \(words)")
            }
            try? await Task.sleep(for: .milliseconds(20))
        }
        throw .unavailable("the gateway is not ready after 30 s; see \(log)")
    }

    /// Its statusd says when the service works, or why it does not.
    private func waitUntilReady(_ node: String, _ pid: pid_t) async throws(Rejection) {
        let statusd = statusd(node)
        for _ in 0..<1500 {
            if (try? await statusd.call(.get, "/readyz", timeoutMilliseconds: 1000))?.status == 200 { return }
            var status: Int32 = 0
            let hasEnded = waitpid(pid, &status, WNOHANG) == pid
            var end: String?
            if let answer = try? await statusd.call(.get, "/v1/status", timeoutMilliseconds: 1000) {
                let processes = (try? JSONValue(parsing: answer.body))?["processes"]?.items ?? []
                end = processes.compactMap { $0["last-end"]?.string }.first
            }
            if hasEnded || end != nil {
                if hasEnded { unlink("\(directory)/run/\(node).pid") }
                let log = readFile("\(directory)/log/\(node).log").map { String(decoding: $0.suffix(2000), as: UTF8.self) }
                throw .unavailable("the node \(node) does not start: \(end ?? log ?? "")")
            }
            try? await Task.sleep(for: .milliseconds(20))
        }
        throw .unavailable("the node \(node) is not ready after 30 s; see \(directory)/log/\(node).log")
    }

    /// The socket of a node's statusd.
    package func statusd(_ node: String) -> ControlSocket {
        ControlSocket("\(directory)/state/\(node)/\(StatusDaemonProgram.socketName)")
    }

    private func spawn(_ arguments: [String], log: String) throws(Rejection) -> pid_t {
        let output = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o640)
        guard output >= 0 else { throw .unavailable("cannot write \(log): \(String(cString: strerror(errno)))") }
        defer { close(output) }
        var process = Spawn(arguments)
        process.output = output
        process.isSession = true
        return try process.start()
    }

    /// The processes that live, by node.
    package func processes() -> [(node: String, pid: pid_t)] {
        var found: [(String, pid_t)] = []
        for name in fileNames(in: "\(directory)/run") {
            guard name.hasSuffix(".pid"), let bytes = readFile("\(directory)/run/\(name)") else { continue }
            guard let pid = pid_t(String(decoding: bytes, as: UTF8.self).filter(\.isNumber)), isOurs(pid) else { continue }
            found.append((String(name.dropLast(4)), pid))
        }
        return found
    }

    /// A number in a file may belong to somebody else by now.
    private func isOurs(_ pid: pid_t) -> Bool {
        guard kill(pid, 0) == 0, let line = readFile("/proc/\(pid)/cmdline"), let own = Self.real("\(directory)/etc") else {
            return false
        }
        let words = line.split(separator: 0, omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
        guard let option = words.firstIndex(of: "--config"), option + 1 < words.count else { return false }
        // However the folder was spelled, and from wherever: then and now.
        let file = words[option + 1]
        return Self.real(file.hasPrefix("/") ? file : "/proc/\(pid)/cwd/\(file)")?.hasPrefix("\(own)/") ?? false
    }

    /// The path of a file without links and detours; nil where there is none.
    private static func real(_ path: String) -> String? {
        guard let found = realpath(path, nil) else { return nil }
        defer { free(found) }
        return String(cString: found)
    }

    /// Asks every process to stop and waits; answers the nodes that still run.
    /// - Parameter only: the only node meant; nil: all.
    package func stop(only: String? = nil) async -> [String] {
        var left: [(node: String, pid: pid_t)] { processes().filter { only == nil || $0.node == only } }
        for process in left { kill(process.pid, SIGTERM) }
        for _ in 0..<600 {
            var status: Int32 = 0
            while waitpid(-1, &status, WNOHANG) > 0 {}
            if left.isEmpty { break }
            try? await Task.sleep(for: .milliseconds(50))
        }
        return left.map(\.node)
    }

    // MARK: disabled nodes

    private func mark(_ node: String) -> String { "\(directory)/etc/disabled/\(node)" }

    /// Whether `up` leaves the node out.
    package func isDisabled(_ node: String) -> Bool { access(mark(node), F_OK) == 0 }

    /// Stops a node and keeps it from being started until ``enable(_:)``; answers whether it has ended.
    package func disable(_ node: String) async throws(Rejection) -> Bool {
        try "etc/disabled".withFolder(in: directory)
        try replaceFile(mark(node), with: [])
        return await stop(only: node).isEmpty
    }

    /// Lets a node be started again, and starts it when the others run; returns when it does its work.
    /// - Returns: whether it was started.
    package func enable(_ node: String) async throws(Rejection) -> Bool {
        guard isDisabled(node) else { return false }
        unlink(mark(node))
        let running = processes()
        guard !running.isEmpty, !running.contains(where: { $0.node == node }) else { return false }
        try await waitUntilReady(node, try start(node))
        return true
    }
}

extension String {
    fileprivate func withFolder(in directory: String) throws(Rejection) { try makeFolder("\(directory)/\(self)") }
}
