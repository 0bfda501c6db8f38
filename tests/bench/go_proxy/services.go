package main

import (
	"context"
	"net/url"

	"idv.example/goproxy/gen/idvv1"
)

type verifications struct {
	idvv1.UnimplementedVerificationServiceServer
	upstream *upstream
}

func (s *verifications) CreateVerification(ctx context.Context, in *idvv1.CreateVerificationRequest) (*idvv1.Verification, error) {
	var out verificationJSON
	err := s.upstream.post(ctx, "/verifications", createJSON{ExternalID: in.GetExternalId(), Tier: "standard"}, &out)
	return out.proto(), err
}

func (s *verifications) GetVerification(ctx context.Context, in *idvv1.GetVerificationRequest) (*idvv1.Verification, error) {
	var out verificationJSON
	err := s.upstream.get(ctx, of(in.GetVerificationId()), &out)
	return out.proto(), err
}

func (s *verifications) CompleteVerification(ctx context.Context, in *idvv1.CompleteVerificationRequest) (*idvv1.Verification, error) {
	var out verificationJSON
	err := s.upstream.post(ctx, of(in.GetVerificationId())+"/complete", struct{}{}, &out)
	return out.proto(), err
}

type documents struct {
	idvv1.UnimplementedDocumentServiceServer
	upstream *upstream
}

func (s *documents) UploadDocument(ctx context.Context, in *idvv1.UploadDocumentRequest) (*idvv1.DocumentResult, error) {
	body := documentJSON{DocumentType: in.GetDocumentType(), Image: in.GetImage(), Country: in.GetCountry()}
	var out documentResultJSON
	err := s.upstream.post(ctx, of(in.GetVerificationId())+"/document", body, &out)
	return out.proto(), err
}

type biometrics struct {
	idvv1.UnimplementedBiometricServiceServer
	upstream *upstream
}

func (s *biometrics) UploadSelfie(ctx context.Context, in *idvv1.UploadSelfieRequest) (*idvv1.SelfieResult, error) {
	var out selfieResultJSON
	err := s.upstream.post(ctx, of(in.GetVerificationId())+"/selfie", selfieJSON{Image: in.GetImage()}, &out)
	return out.proto(), err
}

type liveness struct {
	idvv1.UnimplementedLivenessServiceServer
	upstream *upstream
}

func (s *liveness) CreateLivenessSession(ctx context.Context, in *idvv1.CreateLivenessSessionRequest) (*idvv1.LivenessSession, error) {
	var out sessionJSON
	err := s.upstream.post(ctx, of(in.GetVerificationId())+"/liveness/session", struct{}{}, &out)
	return out.proto(), err
}

func (s *liveness) SubmitLivenessChallenge(ctx context.Context, in *idvv1.SubmitLivenessChallengeRequest) (*idvv1.LivenessChallengeResult, error) {
	body := challengeJSON{ChallengeType: challengeName(in.GetChallengeType()), Image: in.GetImage()}
	var out challengeResultJSON
	err := s.upstream.post(ctx, of(in.GetVerificationId())+"/liveness/challenge", body, &out)
	return out.proto(), err
}

type reference struct {
	idvv1.UnimplementedReferenceServiceServer
	upstream *upstream
}

func (s *reference) ListDocumentTypes(ctx context.Context, in *idvv1.ListDocumentTypesRequest) (*idvv1.ListDocumentTypesResponse, error) {
	path := "/document-types"
	if in.GetCountry() != "" {
		path += "?country=" + url.QueryEscape(in.GetCountry())
	}
	var out documentTypesJSON
	err := s.upstream.get(ctx, path, &out)
	return out.proto(), err
}

// of is the path of a verification.
func of(id string) string { return "/verifications/" + url.PathEscape(id) }
