import IDF

extension Mapping {
    /// The mapping without some of its targets: events do not get them, whatever the row says.
    public func leavingOut(_ targets: [Target]) -> Mapping {
        var mapping = self
        mapping.columns = columns.map { $0.leavingOut(targets) }
        mapping.preamble = preamble.map { value in
            var value = value
            value.column = value.column.leavingOut(targets)
            return value
        }
        mapping.constants = constants.filter { !targets.contains($0.target) }
        mapping.composed = composed.filter { !targets.contains($0.target) }
        return mapping
    }
}

extension Mapping.Column {
    fileprivate func leavingOut(_ gone: [Mapping.Target]) -> Mapping.Column {
        var column = self
        let kept = targets.indices.filter { !gone.contains(targets[$0]) }
        column.targets = kept.map { targets[$0] }
        column.targetConversions = targetConversions.isEmpty ? [] : kept.map { targetConversions[$0] }
        guard var table else { return column }
        table.rows = table.rows.mapValues { $0?.filter { !gone.contains($0.target) } }
        if case .fields(let fields) = table.otherwise {
            table.otherwise = .fields(fields.filter { !gone.contains($0.target) })
        }
        column.table = table
        return column
    }
}
