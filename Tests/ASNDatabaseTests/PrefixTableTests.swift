import Testing

@testable import ASNDatabase

@Suite struct PrefixTableTests {
    @Test(arguments: 1...30)
    func agreesWithSimpleSearch(seed: UInt64) {
        var random = Random(state: seed)
        // Few distinct bits, so that networks nest and touch often.
        let rows = (0..<400).map { _ in
            let length = UInt8(random.next() % 33)
            let address = UInt32(truncatingIfNeeded: random.next()) & 0xC0F0_00FF
            let start = length == 0 ? 0 : address & (UInt32.max << (32 - UInt32(length)))
            return PrefixTable<UInt32>.Row(start: start, system: UInt32(random.next() % 5), length: length)
        }
        let table = PrefixTable<UInt32>(rows: rows)
        for _ in 0..<2_000 {
            let key = UInt32(truncatingIfNeeded: random.next()) & 0xC0F1_01FF
            let around = rows.filter { ($0.start ^ key) >> (32 - UInt32($0.length)) == 0 }
            let expected = around.min { ($1.length, $0.system) < ($0.length, $1.system) }
            let found = table.row(containing: key)
            #expect(found?.start == expected?.start && found?.length == expected?.length && found?.system == expected?.system)
        }
    }

    @Test func emptyTableKnowsNothing() {
        #expect(PrefixTable<UInt128>(rows: []).row(containing: 1) == nil)
    }

    @Test func handlesBothEndsOfTheAddressSpace() {
        let rows: [PrefixTable<UInt128>.Row] = [
            .init(start: 0, system: 1, length: 128), .init(start: .max, system: 2, length: 128),
            .init(start: 0, system: 3, length: 0),
        ]
        let table = PrefixTable<UInt128>(rows: rows)
        #expect(table.row(containing: 0)?.system == 1)
        #expect(table.row(containing: .max)?.system == 2)
        #expect(table.row(containing: 1)?.system == 3)
        #expect(table.row(containing: .max - 1)?.system == 3)
        #expect(table.count == 3)
    }
}
