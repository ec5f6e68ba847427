# conftest test plan.json --policy policy
package main

import rego.v1

plan := object.get(input, "plan", input)

# `remove` takes a certificate off one server; `removeNamed` takes all that it lists off theirs.
single := [step | some step in plan.steps; step.action["do"] == "remove"]

listed := [certificate |
	some step in plan.steps
	step.action["do"] == "removeNamed"
	some certificate in step.action.certificates
]

removals := count(single) + count(listed)

deny contains message if {
	removals > 10
	message := sprintf("the plan removes %d certificates; a person should look", [removals])
}

deny contains message if {
	some step in plan.steps
	step.action["do"] == "cannotApply"
	message := sprintf("step %d cannot be done", [step.id])
}

warn contains message if {
	some step in plan.steps
	"irreversible" in object.keys(step.undo)
	message := sprintf("step %d cannot be undone", [step.id])
}
