#include "upstream/sandbox/specimen.h"

#include <openssl/evp.h>

#include <string_view>

namespace idv::sandbox {
namespace {

constexpr std::string_view kBase64 =
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABQODxIPDRQSEBIXFRQYHjIhHhwcHj0sLiQySUBMS0dARkVQWnNiUFVt"
    "VkVGZIhlbXd7gYKBTmCNl4x9lnN+gXz/wAALCABQAIABAREA/8QAGgABAQADAQEAAAAAAAAAAAAAAAQCAwUBBv/E"
    "ADYQAAEDAgIIAwYFBQAAAAAAAAEAAgMEERIUBSExNVWDo7ITIkEVUVKBkdEyYXGx4SOhwdLw/9oACAEBAAA/APoK"
    "yrkp5YYooPGfLisMeHYtear+G9dqZqv4b12pmq/hvXamar+G9dqZqv4b12pmq/hvXamar+G9dqZqv4b12pmq/hvX"
    "amar+G9dqZqv4b12pmq/hvXamar+G9dqZqv4b12rZR1clRLNFLB4L4sNxjxbVrq966P5nar0REREREREUFJvXSHL"
    "7Uq966P5nar1hJIyJuKRwaPeVC/SzAfJE4j8zZbINJQykNeDG78zq+qtREREREUFJvXSHL7Uq966P5nar1wq6oM9"
    "QdmFnlbY3H6qZF19F1BkiMTrXZs16yP4V6IiIiIoKTeukOX2pV710fzO1Xr5pzSxxa4WINiF4iv0Q0md7rag2xPz"
    "/hddaKt0rWN8LF+LzYbYrWOy+r3KLMzPc4RSyPcIgWBsWpzsTh5tWrYAdnqshUyYJHeLIX+K5gBj8g8+EG9tdv1W"
    "6V0sDSPGx+eMC4GIAvAOwbLf5UktbUNpauz/AOq17/DNhqaC7/QquOVz62ZjpZQGSANa2O7bYWnWbe8n1Wijq5ns"
    "pGTPvI8guNgMTSxzh/cW+S6agpN66Q5falXvXR/M7VeuZpGiJcZogLWu8bPmuYso43SvDIxdx2Bd2kphTQhuovOt"
    "xHqt6wliZKAHg6jcEEgg/qF5FBHESY22JABNzrAJP7k/VYCkh8ws4h5JLS9xab6zqvb1XopYg0jCTchxLnEkkG41"
    "nXtCxdRU7r4o73DgdZ2ONz+5WeXjErpRjDnG5s9wBNgNl7bAF4KWEGEhmuAWj1nyi1vnqW5QUm9dIcvtSr3ro/md"
    "qpqallNHidrJ/C33riT1ElQ7FI69tg9AtSK2ir3REMlJdHsB9WrsAhwBBBB1gheoiIiIoKTeukOX2pV710fzO1Q6"
    "QmMtU8XOFhwgH096mREXY0VMZIXMcSSw6r+7/rq5ERERFBSb10hy+1Kveuj+Z2qb2VP8cf1P2T2VP8cf1P2T2VP8"
    "cf1P2T2VP8cf1P2T2VP8cf1P2VNDRSU0xe9zCC22on3hXoiIiIoKTeukOX2rZWUklRLDLFP4L4sVjgxbVrytfxLo"
    "NTK1/Eug1MrX8S6DUytfxLoNTK1/Eug1MrX8S6DUytfxLoNTK1/Eug1MrX8S6DUytfxLoNTK1/Eug1MrX8S6DUyt"
    "fxLoNTK1/Eug1bKOkkp5ZpZZ/GfLhucGHYv/2Q==";

}  // namespace

std::string SpecimenJpeg() {
  std::string jpeg(kBase64.size() / 4 * 3, '\0');
  EVP_DecodeBlock(reinterpret_cast<unsigned char*>(jpeg.data()),
                  reinterpret_cast<const unsigned char*>(kBase64.data()),
                  static_cast<int>(kBase64.size()));
  jpeg.resize(jpeg.size() - (kBase64.size() - kBase64.find('=')));  // padding decodes to zeros
  return jpeg;
}

}  // namespace idv::sandbox
