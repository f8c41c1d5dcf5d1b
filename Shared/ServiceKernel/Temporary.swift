import HTTP
import Logging
extension HTTPRequestHead { var peer: String? { nil } }
enum LogLevel { static func set(_ level: Logger.Level) {} }

package enum MetricsPage { package static func merged(_ pages: [String]) throws -> String { pages.joined() } }
