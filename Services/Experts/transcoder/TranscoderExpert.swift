import Bulk
import IDF
import ServiceKernel

/// Turns an original line that is not UTF-8, and so stands in base64, into text.
struct TranscoderExpert: Expert {
    static let spec = Spec(
        "transcoder", "Turns an original line in another encoding (intelmq.raw_base64) into text (event.original).",
        reads: [Key.rawBase64], writes: [Key.original, Key.rawBase64], tags: ["transcoder"])

    @Setting("The encoding, as windows-1252; detect: by the byte order mark, UTF-8, or the fallback.") var encoding = Encoding(
        "detect")

    func process(_ event: inout Event) throws(Rejection) -> Verdict {
        guard let text = event[.rawBase64], let bytes = Base64.decode(text.utf8) else { return .forward }
        let decoded = try encoding.decoded(BulkBytes(bytes), limit: 16 << 20).array
        event.remove(.rawBase64)
        event.setOriginal(decoded)
        return .forward
    }
}
