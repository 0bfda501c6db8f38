package main

import (
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"idv.example/goproxy/gen/idvv1"
)

// The vendor's JSON, as far as a first version of such a proxy carries it. A []byte is base64.

type createJSON struct {
	ExternalID string `json:"externalId"`
	Tier       string `json:"tier"`
}

type documentJSON struct {
	DocumentType string `json:"documentType"`
	Image        []byte `json:"imageBase64"`
	Country      string `json:"country,omitempty"`
}

type selfieJSON struct {
	Image []byte `json:"imageBase64"`
}

type challengeJSON struct {
	ChallengeType string `json:"challengeType"`
	Image         []byte `json:"imageBase64"`
}

type verificationJSON struct {
	ID         string    `json:"id"`
	TenantID   string    `json:"tenantId"`
	ExternalID string    `json:"externalId"`
	Status     string    `json:"status"`
	Tier       string    `json:"tier"`
	Decision   string    `json:"decision"`
	RiskScore  *float64  `json:"riskScore"`
	CreatedAt  time.Time `json:"createdAt"`
}

func (v *verificationJSON) proto() *idvv1.Verification {
	return &idvv1.Verification{
		Id:          v.ID,
		TenantId:    v.TenantID,
		ExternalId:  v.ExternalID,
		Status:      idvv1.VerificationStatus(enumOf(idvv1.VerificationStatus_value, "VERIFICATION_STATUS_", v.Status)),
		StatusRaw:   v.Status,
		Tier:        idvv1.VerificationTier(enumOf(idvv1.VerificationTier_value, "VERIFICATION_TIER_", v.Tier)),
		TierRaw:     v.Tier,
		Decision:    idvv1.VerificationDecision(enumOf(idvv1.VerificationDecision_value, "VERIFICATION_DECISION_", v.Decision)),
		DecisionRaw: v.Decision,
		RiskScore:   v.RiskScore,
		CreatedAt:   timestamppb.New(v.CreatedAt),
	}
}

type documentResultJSON struct {
	DocumentID   string   `json:"documentId"`
	DocumentType string   `json:"documentType"`
	QualityScore *float64 `json:"qualityScore"`
	Warnings     []string `json:"warnings"`
}

func (d *documentResultJSON) proto() *idvv1.DocumentResult {
	return &idvv1.DocumentResult{
		DocumentId: d.DocumentID, DocumentType: d.DocumentType, QualityScore: d.QualityScore, Warnings: d.Warnings,
	}
}

type selfieResultJSON struct {
	FaceDetected *bool    `json:"faceDetected"`
	FaceCount    *int32   `json:"faceCount"`
	QualityScore *float64 `json:"qualityScore"`
	Warnings     []string `json:"warnings"`
}

func (s *selfieResultJSON) proto() *idvv1.SelfieResult {
	return &idvv1.SelfieResult{
		FaceDetected: s.FaceDetected, FaceCount: s.FaceCount, QualityScore: s.QualityScore, Warnings: s.Warnings,
	}
}

type sessionJSON struct {
	ID             string `json:"id"`
	VerificationID string `json:"verificationId"`
	Challenges     []struct {
		Type      string `json:"type"`
		Completed *bool  `json:"completed"`
	} `json:"challenges"`
}

func (s *sessionJSON) proto() *idvv1.LivenessSession {
	out := &idvv1.LivenessSession{Id: s.ID, VerificationId: s.VerificationID}
	for _, challenge := range s.Challenges {
		out.Challenges = append(out.Challenges, &idvv1.LivenessChallenge{
			Type: challengeOf(challenge.Type), TypeRaw: challenge.Type, Completed: challenge.Completed,
		})
	}
	return out
}

type challengeResultJSON struct {
	Type      string   `json:"type"`
	Completed *bool    `json:"completed"`
	Score     *float64 `json:"score"`
	Passed    *bool    `json:"passed"`
}

func (c *challengeResultJSON) proto() *idvv1.LivenessChallengeResult {
	return &idvv1.LivenessChallengeResult{
		Type: challengeOf(c.Type), TypeRaw: c.Type, Completed: c.Completed, Score: c.Score, Passed: c.Passed,
	}
}

type documentTypesJSON struct {
	Total         *int32 `json:"total"`
	DocumentTypes []struct {
		Type         string `json:"type"`
		Name         string `json:"name"`
		Country      string `json:"country"`
		RequiresBack *bool  `json:"requiresBack"`
	} `json:"documentTypes"`
}

func (d *documentTypesJSON) proto() *idvv1.ListDocumentTypesResponse {
	out := &idvv1.ListDocumentTypesResponse{Total: d.Total}
	for _, kind := range d.DocumentTypes {
		out.DocumentTypes = append(out.DocumentTypes, &idvv1.DocumentType{
			Type: kind.Type, Name: kind.Name, Country: kind.Country, RequiresBack: kind.RequiresBack,
		})
	}
	return out
}

// The vendor writes its words in lower case, without the enum's prefix.
func enumOf(values map[string]int32, prefix, word string) int32 {
	return values[prefix+strings.ToUpper(word)]
}

func challengeOf(word string) idvv1.LivenessChallengeType {
	return idvv1.LivenessChallengeType(enumOf(idvv1.LivenessChallengeType_value, "LIVENESS_CHALLENGE_TYPE_", word))
}

func challengeName(kind idvv1.LivenessChallengeType) string {
	return strings.ToLower(strings.TrimPrefix(kind.String(), "LIVENESS_CHALLENGE_TYPE_"))
}
