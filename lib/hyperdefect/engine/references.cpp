// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/engine/references.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/log.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/engine/sources.h"
#include "hyperdefect/files/reference_names.h"
#include "hyperdefect/format/envi_header.h"
#include "hyperdefect/format/file_access.h"
#include "hyperdefect/io/references.h"

namespace hyperdefect::engine {
namespace {

namespace fs = std::filesystem;

bool are_applied(const model::DataOptions& options) {
  return options.references != model::ReferenceUse::none;
}

/// The data file of a header that is named.
fs::path data_file(const fs::path& named) {
  return format::has_header_extension(named) ? format::find_envi_data(named) : named;
}

bool is_same(const fs::path& file, const std::string& named) {
  return !named.empty() && format::is_there(file) && format::is_there(named) &&
         format::is_same_file(file, data_file(named));
}

/// The one that is named, else the one beside the cube, if there is one.
fs::path chosen(std::string_view kind, const std::string& named, const std::vector<fs::path>& beside,
                const fs::path& cube) {
  if (!named.empty()) {
    return data_file(named);
  }
  if (beside.size() > 1) {
    throw InputError(text::concat(cube.string(), ": ", beside[0].filename().string(), " and ",
                                  beside[1].filename().string(), " may both be its ", kind,
                                  " reference; name one with data.", kind, ", or remove the other"));
  }
  return beside.empty() ? fs::path() : beside.front();
}

void warn_of_missing(const ReferencePaths& references, const fs::path& cube) {
  if (references.white.empty() && !references.dark.empty()) {
    log::warning(text::concat(cube.string(), ": ", references.dark.filename().string(),
                              " lies next to it, but no white reference does: its values stay as the file "
                              "holds them"));
  }
}

void warn_of_dead(const spectral::ReflectanceConverter& converter, const fs::path& cube) {
  if (converter.dead_elements() == 0) {
    return;
  }
  const auto columns = converter.dead_columns();
  const auto lost =
      text::concat("; ", text::pluralise(columns, "column"), columns == 1 ? " is" : " are",
                   " dead in all bands, so that no pixel of ", columns == 1 ? "it" : "them", " is valid");
  log::warning(text::concat(cube.string(), ": ", converter.dead_elements(), " of ", converter.elements(),
                            " detector elements are dead (the white reference is saturated, is not finite or "
                            "is not above the dark signal) and are interpolated along the bands",
                            columns > 0 ? lost : std::string()));
}

/// Those beside a cube are not applied a second time.
bool is_applied(const format::CubeInfo& cube, const format::CubeInfo& white,
                const model::DataOptions& options) {
  if (!options.white.empty() || !io::seems_converted(cube, white)) {
    return true;
  }
  log::warning(text::concat(cube.path.string(), ": ", white.path.filename().string(),
                            " lies next to it but is not applied: the cube ",
                            cube.data_type == white.data_type
                                ? std::string("states a scale and the reference does not")
                                : text::concat("is ", cube.data_type, " and the reference ", white.data_type),
                            ", so that it seems to hold reflectance already; to apply the reference, name it "
                            "with data.white"));
  return false;
}

}  // namespace

ReferencePaths references_of(const fs::path& cube, const model::DataOptions& options) {
  if (!are_applied(options)) {
    return {};
  }
  const auto beside = files::references_beside(cube);
  ReferencePaths references{chosen("white", options.white, beside.white, cube),
                            chosen("dark", options.dark, beside.dark, cube)};
  if (references.white.empty() && !options.dark.empty()) {
    throw InputError(text::concat(cube.string(), ": data.dark names ", options.dark,
                                  ", but there is no white reference; name it with data.white, or leave "
                                  "data.dark out"));
  }
  return references;
}

Reflectance reflectance_of(const format::CubeInfo& cube, const model::DataOptions& options) {
  const auto paths = references_of(cube.path, options);
  warn_of_missing(paths, cube.path);
  if (paths.white.empty()) {
    return {};
  }
  const auto read = read_options(options);
  io::References references{format::read_cube_info(paths.white, read), std::nullopt};
  if (!is_applied(cube, references.white, options)) {
    return {};
  }
  if (!paths.dark.empty()) {
    references.dark = format::read_cube_info(paths.dark, read);
  }
  auto converter = io::read_references(references, cube, read);
  if (paths.dark.empty()) {
    log::warning(
        text::concat(cube.path.string(),
                     ": it has no dark reference, so that the dark signal counts as 0; name one with "
                     "data.dark"));
  }
  warn_of_dead(converter, cube.path);
  return {paths, std::move(converter)};
}

std::string described(const ReferencePaths& references) {
  const auto white = references.white.filename().string();
  return references.dark.empty() ? white : text::concat(white, " and ", references.dark.filename().string());
}

std::vector<files::CubeInput> without_references(std::vector<files::CubeInput> cubes,
                                                 const model::DataOptions& options) {
  if (!are_applied(options)) {
    return cubes;
  }
  std::vector<files::CubeInput> kept;
  for (auto& cube : cubes) {
    if (is_same(cube.path, options.white) || is_same(cube.path, options.dark)) {
      log::info(text::concat("left out ", cube.path.string(), ": data.white or data.dark names it"));
    } else {
      kept.push_back(std::move(cube));
    }
  }
  if (kept.empty() && !cubes.empty()) {
    throw InputError(
        "the inputs hold no cube other than the references that data.white and data.dark "
        "name");
  }
  return kept;
}

void check_references(const model::DataOptions& options) {
  if (!are_applied(options)) {
    return;
  }
  for (const auto& [key, file] : {std::pair("data.white", options.white), {"data.dark", options.dark}}) {
    if (!file.empty() && !format::is_there(file)) {
      throw InputError(text::concat(key, " names ", file, ", but there is no such file"));
    }
  }
}

}  // namespace hyperdefect::engine
