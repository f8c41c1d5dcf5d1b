/// The mapping files that are built in, by name.
let embeddedMappings: [(String, [UInt8])] = [
    ("cins-army", PackageResources.cins_army_yaml),
    ("feodotracker", PackageResources.feodotracker_yaml),
    ("openphish", PackageResources.openphish_yaml),
]
