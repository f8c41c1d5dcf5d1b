import Collectors
import Control
import Experts
import Outputs
import Parsers
import ServiceKernel

let roster = Roster(collectors + parsers + experts + outputs)
await FleetProgram.main(roster)
