import SQLite

/// How rows become values of statements; the order is that of the tables' columns.
extension Store {
    static func bind(
        _ packet: SpoolPacket, sequence: Int64, created: Int64, live: Bool, to statement: SQLiteStatement
    ) throws(SQLiteError) {
        try statement.bind(1, sequence)
        try statement.bind(2, packet.id)
        try statement.bind(3, Int64(packet.events))
        try statement.bind(4, Int64(packet.bytes.count))
        try statement.bind(5, created)
        try statement.bind(6, Int64(live ? 1 : 0))
    }

    static func insert(
        _ packet: SpoolPacket, sequence: Int64, created: Int64, checksum: Int64, by statement: SQLiteStatement
    ) throws(SQLiteError) {
        try statement.bind(1, sequence)
        try statement.bind(2, packet.id)
        try statement.bind(3, Int64(packet.events))
        try statement.bind(4, created)
        try statement.bind(5, checksum)
        try packet.bytes.withUnsafeBufferPointer { (bytes) throws(SQLiteError) in
            defer { statement.clearBindings() }
            try statement.bindBlob(6, bytes, copy: false)
            try statement.run()
        }
    }

    static func bind(_ edge: EdgeRow, to statement: SQLiteStatement) throws(SQLiteError) {
        try statement.bind(1, edge.name)
        try statement.bind(2, edge.cursor)
        if let until = edge.until { try statement.bind(3, until) } else { try statement.bindNull(3) }
        let ahead = edge.ahead.encoded()
        try ahead.withUnsafeBufferPointer { (bytes) throws(SQLiteError) in try statement.bindBlob(4, bytes) }
        try statement.bind(5, edge.acknowledged)
        try statement.bind(6, edge.deadLettered)
        try statement.bind(7, edge.dropped)
        try statement.bind(8, edge.accepted)
        try statement.bind(9, edge.lost)
    }

    static func bind(_ letter: DeadLetter, to statement: SQLiteStatement) throws(SQLiteError) {
        try statement.bind(1, letter.eventID)
        try statement.bind(2, letter.packetID)
        try statement.bind(3, letter.worker)
        if let edge = letter.edge { try statement.bind(4, edge) } else { try statement.bindNull(4) }
        try statement.bind(5, letter.code)
        try statement.bind(6, letter.detail)
        try statement.bind(7, Int64(letter.tries))
        try statement.bind(8, letter.firstTime)
        try statement.bind(9, letter.lastTime)
        try letter.original.withUnsafeBufferPointer { (bytes) throws(SQLiteError) in try statement.bindBlob(10, bytes) }
        try statement.bind(11, letter.mediaType)
    }
}
