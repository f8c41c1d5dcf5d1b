import Testing

@testable import IDF

private func view<R>(_ text: String, _ body: (ByteView) -> R) -> R {
    Array(text.utf8).withUnsafeBufferPointer(body)
}

@Suite struct TimestampTests {
    @Test(arguments: [
        ("2026-11-20T12:00:00Z", "2026-11-20T12:00:00Z"), ("2026-11-20 12:00:00", "2026-11-20T12:00:00Z"),
        ("2026-11-20", "2026-11-20T00:00:00Z"),
        ("2026-11-20T12:00:00+00:00", "2026-11-20T12:00:00Z"), ("2026-11-20t12:00:00.250z", "2026-11-20T12:00:00.25Z"),
        ("2020-01-02T03:04:05+02:00", "2020-01-02T01:04:05Z"),
        ("2020-01-01T00:30:00.000000001+0100", "2019-12-31T23:30:00.000000001Z"),
        ("20200102T030405Z", "2020-01-02T03:04:05Z"), ("20200102", "2020-01-02T00:00:00Z"),
        ("2020-02-29 23:59", "2020-02-29T23:59:00Z"),
        (" 2018-04-14 00:14:34 UTC ", "2018-04-14T00:14:34Z"), ("2018-06-19T14:14:15.931753+00", "2018-06-19T14:14:15.931753Z"),
        ("1969-12-31T23:59:59.5Z", "1969-12-31T23:59:59.5Z"), ("2024-01-02T03:04:05 -05:00", "2024-01-02T08:04:05Z"),
    ]) func readsISO(_ text: String, _ wanted: String) throws {
        let time = try #require(view(text) { Timestamp($0) })
        #expect(time.description == wanted)
        #expect(view(wanted) { Timestamp($0) } == time)
        #expect(view(text) { Timestamp(fuzzy: $0) } == time)
    }

    @Test(arguments: [
        "", "2026", "2026-11", "2026-02-30", "2026-13-01", "2026-00-10", "2026-11-20T24:00:00", "2026-11-20T12:60:00",
        "2026-11-20T12:00:60",
        "2026-11-20T", "2026-11-20T12", "2026-11-20T12:00:00.", "2026-11-20T12:00:00+2:00", "2026-11-20T12:00:00+25:00",
        "0001-01-01T00:00:00Z",
        "2026-11-20T12:00:00ZZ", "9999-12-31T23:59:59Z", "1704164645", "2024-W01-2", "2024-002",
    ]) func refusesAsISO(_ text: String) {
        #expect(view(text) { Timestamp($0) } == nil)
    }

    @Test(arguments: [
        ("Mon, 21 Nov 2026 10:00:00 GMT", "2026-11-21T10:00:00Z"), ("2020/01/02 3:04pm", "2020-01-02T15:04:00Z"),
        ("Jan 2 2020", "2020-01-02T00:00:00Z"),
        ("2 January 2020 10:11:12 +0200", "2020-01-02T08:11:12Z"), ("31st December 2020 12:00", "2020-12-31T12:00:00Z"),
        ("02/Jan/2024:03:04:05 +0100", "2024-01-02T02:04:05Z"), ("[02/Jan/2024:03:04:05 +0100]", "2024-01-02T02:04:05Z"),
        ("Tue Jan  2 03:04:05 2024", "2024-01-02T03:04:05Z"), ("Tue Jan 02 03:04:05 UTC 2024", "2024-01-02T03:04:05Z"),
        ("21.11.2026", "2026-11-21T00:00:00Z"), ("02.01.2024 03:04", "2024-02-01T03:04:00Z"),
        ("1/2/2024", "2024-01-02T00:00:00Z"),
        ("13/2/2024", "2024-02-13T00:00:00Z"), ("01-02-03", "2003-01-02T00:00:00Z"), ("99-01-02", "1999-01-02T00:00:00Z"),
        ("12:34 2024-01-02", "2024-01-02T12:34:00Z"), ("2024-01-02 03:04:05,678", "2024-01-02T03:04:05.678Z"),
        ("20240102030405", "2024-01-02T03:04:05Z"),
        ("2024-01-02 03:04:05 EST", "2024-01-02T08:04:05Z"), ("2024-01-02 03:04:05 CET", "2024-01-02T02:04:05Z"),
        ("Tue Jan 02 2024 03:04:05 GMT+0200 (CEST)", "2024-01-02T01:04:05Z"),
        ("2016-07-19 06:40:01.617719+02:00 UTC", "2016-07-19T04:40:01.617719Z"),
        ("2021-03-27T00:00:00.044871Z+00:00", "2021-03-27T00:00:00.044871Z"), ("2016-11-01T22:2+00:00", "2016-11-01T22:02:00Z"),
        ("2015-12-14 12:40:59+0", "2015-12-14T12:40:59Z"), ("2018-08-01T00:00:00+00 UTC", "2018-08-01T00:00:00Z"),
        ("12am 2 Jan 2024", "2024-01-02T00:00:00Z"), ("2 Jan 2024 12 PM", "2024-01-02T12:00:00Z"),
        ("2 Jan 2024 10h36m28s", "2024-01-02T10:36:28Z"),
        ("2-Jan-24", "2024-01-02T00:00:00Z"), ("first seen 2024-01-02 by us", "2024-01-02T00:00:00Z"),
    ]) func readsFuzzy(_ text: String, _ wanted: String) {
        #expect(view(text) { Timestamp(fuzzy: $0) }?.description == wanted)
    }

    @Test(arguments: [
        "", "1704164645", "1704164645123", "170416464512", "03:04", "3pm", "May", "2024-01", "Jan 2024", "today", "192.0.2.1",
        "1.2.3.4.5", "2024-02-30",
        "2 Jan 2024 25:00", "Jan Feb Mar", "2024-W01-2", "2024-002", "10", "CVE-2024-1234", "2024-01-02 10:00:00 +99:00",
        "+00:00",
    ]) func refusesFuzzy(_ text: String) {
        #expect(view(text) { Timestamp(fuzzy: $0) } == nil)
    }

    @Test(arguments: [
        ("15 15 15 07 01 2019", "%M %H %S %m %d %Y", "2019-07-01T15:15:15Z"),
        ("02/Jan/2024:03:04:05 +0100", "%d/%b/%Y:%H:%M:%S %z", "2024-01-02T02:04:05Z"),
        ("2024-01-02T03:04:05Z", "%Y-%m-%dT%H:%M:%S%z", "2024-01-02T03:04:05Z"),
        ("Tuesday, 02-January-24 03:04 PM", "%A, %d-%B-%y %I:%M %p", "2024-01-02T15:04:00Z"),
        ("2024 060", "%Y %j", "2024-02-29T00:00:00Z"), ("01/02/24 03:04:05.5 EST", "%D %T.%f %Z", "2024-01-02T08:04:05.5Z"),
        ("1704164645", "%s", "2024-01-02T03:04:05Z"),
        ("100% 2024", "100%% %Y", "2024-01-01T00:00:00Z"), ("Tue  2 Jan 2024", "%a %d %b %Y", "2024-01-02T00:00:00Z"),
    ]) func readsByFormat(_ text: String, _ format: String, _ wanted: String) {
        #expect(view(text) { Timestamp.parse($0, format: format) }?.description == wanted)
    }

    @Test(arguments: [
        ("2024-01-02 03:04:05", "%Y-%m-%d"), ("2024-01-02", "%Y-%m-%d %H"), ("", "%Y"), ("x", "%d.%m.%Y"),
        ("2024-02-30", "%Y-%m-%d"), ("24-1-2", "%Y-%m-%d"),
        ("2024", "%Y%"), ("2024", "%Q"), ("13 AM", "%I %p"), ("366 2023", "%j %Y"),
    ]) func refusesByFormat(_ text: String, _ format: String) {
        #expect(view(text) { Timestamp.parse($0, format: format) } == nil)
    }

    @Test func midnight() {
        let time = view("02/Jan/2024:00:04:05 +0100") { Timestamp.parse($0, format: "%d/%b/%Y:%H:%M:%S %z", atMidnight: true) }
        #expect(time?.description == "2024-01-02T00:00:00Z")
    }

    @Test func numbers() {
        #expect(view("1441008970") { Timestamp.unixSeconds($0) }?.description == "2015-08-31T08:16:10Z")
        #expect(view("1590360328.48742") { Timestamp.unixSeconds($0) }?.description == "2020-05-24T22:45:28.48742Z")
        #expect(view("-1.5") { Timestamp.unixSeconds($0) }?.description == "1969-12-31T23:59:58.5Z")
        #expect(view("1e9") { Timestamp.unixSeconds($0) } == nil)
        #expect(view("99999999999999") { Timestamp.unixSeconds($0) } == nil)
        #expect(view("1441008970123") { Timestamp.epochMillis($0) }?.description == "2015-08-31T08:16:10Z")
        #expect(view("1441008970") { Timestamp.epochMillis($0) }?.description == "2015-08-31T08:16:10Z")
        #expect(view("14410089701") { Timestamp.epochMillis($0) } == nil)
        #expect(view("129410017915727600") { Timestamp.windowsNT($0) }?.description == "2011-02-01T02:43:11.57276Z")
        #expect(view("0") { Timestamp.windowsNT($0) } == nil)
    }

    /// What is written for "never" is a value, too, though no moment that can be counted with.
    @Test(arguments: [
        ("0", "1601-01-01T00:00:00Z"), ("-1", "1600-12-31T23:59:59.9999999Z"), ("80", "1601-01-01T00:00:00.000008Z"),
        ("132651352622420000", "2021-05-10T15:47:42.242Z"), ("9223372036854775807", nil), ("9223372036854775808", nil),
        ("x", nil), ("", nil),
    ]) func fileTimesOfAnyYear(_ text: String, _ wanted: String?) {
        #expect(view(text) { CivilTime.windowsNT($0) }?.description == wanted)
    }

    @Test(arguments: [
        ("-62135596800", "0001-01-01T00:00:00Z"), ("253402300799.5", "9999-12-31T23:59:59.5Z"), ("253402300800", nil),
        ("-0.25", "1969-12-31T23:59:59.75Z"), ("-9223372036854775808.5", nil), ("9223372036854775807", nil),
    ]) func secondsOfAnyYear(_ text: String, _ wanted: String?) {
        #expect(view(text) { CivilTime.unixSeconds($0) }?.description == wanted)
    }

    @Test func formatsOfAnyYear() {
        #expect(view("31.12.9999") { CivilTime.parse($0, format: "%d.%m.%Y") }?.description == "9999-12-31T00:00:00Z")
        #expect(view("1601-01-01") { CivilTime.parse($0, format: "%F") }?.description == "1601-01-01T00:00:00Z")
        #expect(view("0001-01-01 +0100") { CivilTime.parse($0, format: "%F %z") } == nil)
    }

    @Test(arguments: [
        ("02-15", "2026-11-20T12:00:00Z", "2026-02-15T00:00:00Z"),
        ("02-15 12:00", "2026-11-20T12:00:00Z", "2026-02-15T12:00:00Z"),
        ("12-24", "2026-11-20T12:00:00Z", "2025-12-24T00:00:00Z"), ("15/2", "2026-11-20T12:00:00Z", "2026-02-15T00:00:00Z"),
        ("2/3", "2026-11-20T12:00:00Z", "2026-02-03T00:00:00Z"), ("Feb 15", "2026-11-20T12:00:00Z", "2026-02-15T00:00:00Z"),
        ("15-Feb", "2026-11-20T12:00:00Z", "2026-02-15T00:00:00Z"),
        ("Sun Nov  1 03:04:05 CET", "2026-11-20T12:00:00Z", "2026-11-01T02:04:05Z"),
        ("15th of February at 3:04pm", "2026-11-20T12:00:00Z", "2026-02-15T15:04:00Z"),
        ("02-15T12:00:05.5Z", "2026-11-20T12:00:00Z", "2026-02-15T12:00:05.5Z"),
        ("02-15 23:30 -02:00", "2026-11-20T12:00:00Z", "2026-02-16T01:30:00Z"),
        // A day's grace, and no more.
        ("11-21 12:00", "2026-11-20T12:00:00Z", "2026-11-21T12:00:00Z"),
        ("11-21 12:01", "2026-11-20T12:00:00Z", "2025-11-21T12:01:00Z"),
        // Around New Year.
        ("12-31", "2027-01-01T00:00:05Z", "2026-12-31T00:00:00Z"), ("01-01", "2026-12-31T23:30:00Z", "2027-01-01T00:00:00Z"),
        ("01-02", "2026-12-31T23:30:00Z", "2026-01-02T00:00:00Z"),
        // Leap days.
        ("02-29", "2026-11-20T12:00:00Z", "2024-02-29T00:00:00Z"), ("Feb 29", "2028-02-28T12:00:00Z", "2028-02-29T00:00:00Z"),
        ("29 Feb", "2028-02-27T12:00:00Z", "2024-02-29T00:00:00Z"), ("02-29", "2103-01-01T00:00:00Z", "2096-02-29T00:00:00Z"),
    ]) func completesYears(_ text: String, _ observed: String, _ wanted: String) throws {
        let moment = try #require(view(observed) { Timestamp($0) })
        #expect(view(text) { CivilTime(withoutYear: $0, notAfter: moment) }?.description == wanted)
    }

    @Test(arguments: [
        "", "15", "Feb", "12:00", "3pm", "2 15", "02.15", "15.02.", "02-30", "13-13", "00-10", "Feb 2024", "2024-02",
        "2024-02-15",
        "Feb Mar", "port 12-13", "12-13 tcp", "10-36", "1-2-3-4", "Feb 15 25:00", "CVE-12-13", "02-15 12:00 +99:00",
    ]) func refusesWithoutYear(_ text: String) throws {
        let moment = try #require(view("2026-11-20T12:00:00Z") { Timestamp($0) })
        #expect(view(text) { CivilTime(withoutYear: $0, notAfter: moment) } == nil)
    }

    @Test func ends() {
        #expect(Timestamp(nanoseconds: .max).description == "2262-04-11T23:47:16.854775807Z")
        #expect(Timestamp(nanoseconds: .min).description == "1677-09-21T00:12:43.145224192Z")
        #expect(Timestamp(unixSeconds: .max).nanoseconds == .max)
        #expect(Timestamp(unixSeconds: 0) < Timestamp.now())
        #expect(sanitised(.time, "9999-12-31T23:59:59+00:00") == "\"9999-12-31T23:59:59Z\"")
        #expect(sanitised(.time, "0001-01-01T00:00:00") == "\"0001-01-01T00:00:00Z\"")
        #expect(sanitised(.time, "0001-01-01T00:00:00+01:00") == nil)
    }

    @Test func everyDayThereAndBack() {
        for day in stride(from: Int64(-719_162), through: 2_932_896, by: 37) {
            let time = CivilTime(unixSeconds: day * 86_400 + 86_399, nanosecond: 0)
            #expect(time.isReal && time.unixSeconds == day * 86_400 + 86_399)
        }
    }
}
