public import IDF

/// An autonomous system as the announcer of an address.
public struct AutonomousSystem: Hashable, Sendable {
    /// The number, 1…4294967295.
    public let number: UInt32
    /// The name of the organization that holds the number; nil where the database has none (text tables never do).
    public let name: String?
    /// The most specific announced network that contains the address, in the version of the address.
    public let network: IPNetwork

    /// Makes an answer; the number is not 0, the network contains the address asked for.
    public init(number: UInt32, name: String?, network: IPNetwork) {
        self.number = number
        self.name = name
        self.network = network
    }
}
