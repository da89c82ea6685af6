package fosapi

// Bodies are the structs that this half takes and gives, by the name of the published
// schema that describes each.
var Bodies = map[string]any{
	"CrossDomainLoginRequest": crossDomainLoginBody{}, "StepUpRequest": stepUpBody{}, "Answer": answerBody{},
	"User": userBody{}, "SessionTimes": sessionBody{}, "Entered": loginAnswer{}, "Person": personBody{}, "Question": questionBody{},
	"NoQuestion": noQuestionBody{}, "Me": meAnswer{}, "Refreshed": refreshAnswer{}, "Sessions": sessionsAnswer{},
	"LiveSession": listedSession{}, "EndedSession": endedSession{},
}
