#include "upstream/route.h"

#include <string>
#include <vector>

#include "tests/upstream/probe.pb.h"
#include "upstream/failure.h"

namespace idv {
namespace {

using google::protobuf::MethodDescriptor;
using idv::test::FindRequest;
using idv::test::StoreRequest;

const MethodDescriptor& Rpc(const std::string& name) {
  return *StoreRequest::descriptor()->file()->pool()->FindMethodByName("idv.test." + name);
}

Route Compiled(const std::string& name) {
  auto route = Route::Compile(Rpc(name));
  EXPECT_TRUE(route.ok()) << route.status();
  return *std::move(route);
}

StoreRequest Complete() {
  StoreRequest request;
  request.set_probe_id("p1");
  request.set_part(idv::test::COLOUR_RED);
  request.set_signed_by("me");
  request.set_text("t");
  return request;
}

std::string BodyOf(const RestRequest& request) {
  std::string text(*request.body->size(), '\0');
  text.resize(request.body->Read(text.data(), text.size()));
  return text;
}

std::vector<std::string> FieldsOf(const absl::Status& status) {
  std::vector<std::string> fields;
  for (const auto& violation : FailureOf(status).violations) fields.push_back(violation.field);
  return fields;
}

TEST(RouteTest, SendsEachFieldWhereItBelongs) {
  const Route route = Compiled("ProbeService.Store");

  const auto request = route.Encode(Complete());

  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_EQ(request->verb, "PUT");
  EXPECT_EQ(request->target, "/probes/p1/parts/red");
  EXPECT_THAT(request->headers, testing::ElementsAre(testing::Pair("X-Signed-By", "me")));
  EXPECT_EQ(BodyOf(*request), R"({"text":"t","sure":false})");
}

TEST(RouteTest, SendsABodyEvenWhenItIsEmpty) {
  const Route route = Compiled("ProbeService.Remove");
  idv::test::RemoveRequest remove;
  remove.set_probe_id("p");

  const auto request = route.Encode(remove);

  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_EQ(request->verb, "DELETE");
  EXPECT_EQ(BodyOf(*request), "{}");
}

TEST(RouteTest, PutsSetFieldsOfAGetIntoTheQuery) {
  const Route route = Compiled("ProbeService.Find");
  FindRequest find;

  EXPECT_EQ(route.Encode(find)->target, "/probes");

  find.set_name("a b&c=ä/?");
  find.set_colour(idv::test::COLOUR_DARK_BLUE);
  find.set_page_size(20);
  find.set_deep(true);

  EXPECT_EQ(route.Encode(find)->target,
            "/probes?name=a%20b%26c%3D%C3%A4%2F%3F&colour=dark_blue&pageSize=20&deep=true");
  EXPECT_EQ(route.Encode(find)->body, nullptr);
}

TEST(RouteTest, SendsTheVerbatimTextForAnUnsetEnumOfTheQuery) {
  const Route route = Compiled("ProbeService.Find");
  FindRequest find;
  find.set_colour_raw("mauve");

  EXPECT_EQ(route.Encode(find)->target, "/probes?colour=mauve");
}

TEST(RouteTest, EncodesAPathValueAsOneSegment) {
  const Route route = Compiled("ProbeService.Store");
  StoreRequest request = Complete();
  request.set_probe_id("a/b?c#d%2e é-._~");

  EXPECT_EQ(route.Encode(request)->target, "/probes/a%2Fb%3Fc%23d%252e%20%C3%A9-._~/parts/red");
}

TEST(RouteTest, RefusesPathValuesThatAreNoSegment) {
  const Route route = Compiled("ProbeService.Store");
  for (const std::string& bad :
       {std::string(), std::string("."), std::string(".."), std::string("a\nb"),
        std::string("a\0b", 3), std::string("\x7f")}) {
    StoreRequest request = Complete();
    request.set_probe_id(bad);

    const auto encoded = route.Encode(request);

    ASSERT_FALSE(encoded.ok()) << bad;
    EXPECT_EQ(FailureOf(encoded.status()).reason, "INVALID_FIELD") << bad;
    EXPECT_THAT(FieldsOf(encoded.status()), testing::ElementsAre("probe_id")) << bad;
  }
}

TEST(RouteTest, RefusesHeaderValuesThatNoHeaderCanCarry) {
  const Route route = Compiled("ProbeService.Store");
  for (const std::string& bad : {std::string(), std::string("a\r\nX-Evil: 1"), std::string("José"),
                                 std::string(" a"), std::string("a "), std::string(1001, 'a')}) {
    StoreRequest request = Complete();
    request.set_signed_by(bad);

    EXPECT_THAT(FieldsOf(route.Encode(request).status()), testing::ElementsAre("signed_by")) << bad;
  }
}

TEST(RouteTest, NamesAllFaultsAtOnce) {
  const Route route = Compiled("ProbeService.Store");

  const auto encoded = route.Encode(StoreRequest());

  EXPECT_EQ(encoded.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(FieldsOf(encoded.status()),
              testing::UnorderedElementsAre("probe_id", "part", "signed_by", "text"));
}

TEST(RouteTest, RefusesAnOverlongPath) {
  const Route route = Compiled("ProbeService.Store");
  StoreRequest request = Complete();
  request.set_probe_id(std::string(9000, 'p'));

  EXPECT_EQ(route.Encode(request).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(RouteTest, RefusesAFieldThatItCannotHonour) {
  const Route route = Compiled("ProbeService.Store");
  StoreRequest request = Complete();
  request.set_once("id");

  EXPECT_THAT(FieldsOf(route.Encode(request).status()), testing::ElementsAre("once"));
}

TEST(RouteTest, KnowsWhichMessagesHoldImages) {
  EXPECT_TRUE(Compiled("ProbeService.Store").takes_images());
  EXPECT_TRUE(Compiled("ProbeService.Store").image_types().contains(StoreRequest::descriptor()));
  EXPECT_FALSE(Compiled("ProbeService.Find").takes_images());
}

TEST(RouteTest, SendsImagesFromWhereTheyAre) {
  const Route route = Compiled("ProbeService.Store");
  StoreRequest request = Complete();
  request.set_picture("1234");
  request.add_pictures("");
  request.add_pictures("123456");
  const std::string wire = request.SerializeAsString();
  Images images;
  std::string rest;
  ASSERT_TRUE(images.CutOut(*request.GetDescriptor(), route.image_types(), {wire}, rest));
  StoreRequest marked;
  ASSERT_TRUE(marked.ParseFromString(rest));

  const auto from_pieces = route.Encode(marked, &images);
  const auto from_message = route.Encode(request);

  EXPECT_EQ(BodyOf(*from_pieces), BodyOf(*from_message));
  EXPECT_NE(marked.picture(), request.picture());
}

TEST(RouteTest, TranslatesTheUpstreamsNamesOfFields) {
  const Route store = Compiled("ProbeService.Store");

  EXPECT_EQ(store.ProtoPath("pictureBase64"), "picture");
  EXPECT_EQ(store.ProtoPath("x-signed-by"), "signed_by");
  EXPECT_EQ(store.ProtoPath("probeId"), "probe_id");
  EXPECT_EQ(Compiled("ProbeService.Find").ProtoPath("pageSize"), "page_size");
}

TEST(RouteTest, RefusesEveryWrongAnnotationByName) {
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"NoHttpRule", "no google.api.http rule"},
      {"NoRepeatSafety", "repeat_safety is unset"},
      {"UnknownPathField", "names the field 'probe'"},
      {"PatternInPath", "a segment is plain text or one {field}"},
      {"NoLeadingSlash", "does not begin with '/'"},
      {"PostWithoutBody", "a GET has no body, and every other verb has one"},
      {"OneFieldAsBody", "must be \"*\" or absent"},
      {"ListFieldIsNoList", "names 'id', which is no list"},
      {"MessageInQuery", "'inner' cannot travel outside a body"},
      {"UnsendableType", "anything has a type that no request can carry"},
      {"UnreadableType", "anything has a type that no answer can carry"},
      {"EnumWithoutSpelling", "SILENT_ONE has no spelling"},
      {"TwoBindings", "more than one google.api.http binding"},
      {"StreamedAnswer", "streams no answers"},
      {"DotsInPath", "has the segment '..'"},
      {"BlankInPath", "has the segment 'all probes'"},
      {"QuoteInJsonName", "text has a JSON name that needs escapes"},
      {"BlankInHeader", "text has an option header that is no name of a header"},
      {"VerbatimIsNoText", "colour_raw has an option verbatim_of, but is no string"},
      {"ListOfWholeObjects", "all is a list, but has an option that takes none"},
      {"BareStringIsList", "stored has an option bare_string that names no string"},
  };
  const auto& wrong = *StoreRequest::descriptor()->file()->FindServiceByName("WrongService");
  ASSERT_EQ(static_cast<size_t>(wrong.method_count()), rows.size());
  for (const auto& [name, expected] : rows) {
    const auto route = Route::Compile(Rpc("WrongService." + name));

    ASSERT_FALSE(route.ok()) << name;
    EXPECT_THAT(std::string(route.status().message()),
                testing::AllOf(testing::StartsWith("idv.test.WrongService." + name + ": "),
                               testing::HasSubstr(expected)));
  }
}

}  // namespace
}  // namespace idv
