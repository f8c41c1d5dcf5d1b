import Collectors
import Experts
import Glibc
import Outputs
import Parsers
import ServiceKernel
import ServiceKernelTesting

/// Every worker of the program.
let fleet = Roster(collectors + parsers + experts + outputs)

/// The cases of parsers that are data stand in their mapping files.
func mappingCases(of entry: RosterEntry) throws -> [Case] {
    guard entry.spec.tags.contains("mapping"), let file = mappingFiles.first(where: { $0.name == entry.spec.name }) else {
        return []
    }
    return try file.cases.map { try Case.list($0, in: file.document) } ?? []
}
