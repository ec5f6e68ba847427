# conftest test plan.json --policy policy
package main

import rego.v1

plan := object.get(input, "plan", input)

removals := [step | some step in plan.steps; step.action["do"] == "remove"]

deny contains message if {
	count(removals) > 10
	message := sprintf("the plan removes %d certificates; a person should look", [count(removals)])
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
