/// Archives that hold `a.csv` with `table`, those of several files also `d/ü.csv` with `other`, made with Python's
/// zipfile, tarfile, gzip, bz2 and lzma and with Info-ZIP and zstd.
enum Fixtures {
    static let table = Array("a,b\n1,2\n".utf8)
    static let other = Array(String(repeating: "c,d\n3,4\n", count: 4).utf8)

    static let zip = base64(
        """
        UEsDBBQAAAAAAAAAIQAAAAAAAAAAAAAAAAACAAAAZC9QSwMEFAAAAAgAAAAhXHsHlwoKAAAACAAAAAUAAABhLmNzdkvUSeIy\
        1DHiAgBQSwMEFAAACAgAAAAhXPh+Kt0NAAAAIAAAAAgAAABkL8O8LmNzdkvWSeEy1jHhSsZBAwBQSwECFAMUAAAAAAAAACEA\
        AAAAAAAAAAAAAAAAAgAAAAAAAAAAABAA/0EAAAAAZC9QSwECFAMUAAAACAAAACFceweXCgoAAAAIAAAABQAAAAAAAAAAAAAA\
        gAEgAAAAYS5jc3ZQSwECFAMUAAAICAAAACFc+H4q3Q0AAAAgAAAACAAAAAAAAAAAAAAAgAFNAAAAZC/DvC5jc3ZQSwUGAAAA\
        AAMAAwCZAAAAgAAAAAAA
        """)
    static let tarGzip = base64(
        """
        H4sIAAAAAAACA+3XPw6CMBQG8M49BQdo6B9LmYyOjl6hUhIGBwNoOJybF7O6GBFDQtLG2O+3PLYSXj5en+MkOOEZrZ/VG9eJ\
        51IqQbLC5lV3Cfxy5663rT+SpCnGJ57tvxz335hSkixKT1LvPztQyRQlkKSc53y7t8Outq5uw+V/IvevzCv5nn8plDAkG5D/\
        4GSZnWzfrB2/XR+jAD+CtDi+CX4DmJ3/+uP+J4oC8z+Gijm6Ypp+q0jIfztGOGPB/ie0n/8K+19wza/23+9/Ev0HAAAAAAAA\
        AAAAAFjkDmZoTsUAKAAA
        """)
    static let bzip2 = base64(
        """
        QlpoOTFBWSZTWb+HQH8AAANZAAAQAAQwADAAIAAwwAhpsogjJ4u5IpwoSF/DoD+A
        """)
    static let xz = base64(
        """
        /Td6WFoAAATm1rRGAgAhARYAAAB0L+WjAQAHYSxiCjEsMgoAvpy9SbUSKv4AASAIuxnZux+2830BAAAAAARZWg==
        """)
    static let tarXz = base64(
        """
        /Td6WFoAAATm1rRGAgAhARYAAAB0L+Wj4Cf/ANRdADILvBunjDREwbqTFej848CSheWgzj9gS2mcEezsmIShp9GDfbaH9SNg\
        wbBZEHh5OAWqDEcuL0lMyzRv3pT7a2oM3wE++OnO1pLBSHdTRgwGCd7m8Z2K+cRiENJfU3Go3v/oMg40K2OayB1pmTRD1Mz+\
        QlJwHe5PNLjV6Q5zlTXxMnnKuAyU3acpIa3Yuq3/HCd6zksvPQCyctMHI7rol/Lo5GZhJQungJ4sMCpXZ0ENa87x24faItaQ\
        9+NuLnoHoqkkVq5OEumXHlYtFeZQzPVuSBsAAHJfdU4cOdleAAHwAYBQAAD/fEJqscRn+wIAAAAABFla
        """)
    static let namedGzip = base64(
        """
        H4sICAAAAAAC/2lubmVyLmNzdgBL1EniMtQx4gIAeweXCggAAAA=
        """)
    static let gzip = base64(
        """
        H4sIAAAAAAACA0vUSeIy1DHiAgB7B5cKCAAAAA==
        """)
    static let zstd = base64(
        """
        KLUv/SQIQQAAYSxiCjEsMgo158rO
        """)
    static let encryptedZip = base64(
        """
        UEsDBAoACQAAAA2adV17B5cKFAAAAAgAAAAFABwAYS5jc3ZVVAkAAwnuAWsJ7gFrdXgLAAEEAAAAAAQAAAAAE7t2tdbF2Fdw\
        x7CuVqPHvLDD03hQSwcIeweXChQAAAAIAAAAUEsBAh4DCgAJAAAADZp1XXsHlwoUAAAACAAAAAUAGAAAAAAAAQAAAKSBAAAA\
        AGEuY3N2VVQFAAMJ7gFrdXgLAAEEAAAAAAQAAAAAUEsFBgAAAAABAAEASwAAAGMAAAAAAA==
        """)

    private static func base64(_ text: String) -> [UInt8] {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var result: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        for byte in text.utf8 {
            guard let value = alphabet.firstIndex(of: byte) else { continue }
            bits = bits << 6 | UInt32(value)
            count += 6
            if count >= 8 {
                count -= 8
                result.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        return result
    }
}
