// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/format/cube_array.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/format/hdf5_references.h"

namespace hyperdefect::format {
namespace {

/// Groups within groups beyond this depth are not looked into: a file can link a group into itself.
constexpr int kDeepestGroup = 8;

enum class Role { unknown, band, row, col, other };

/// What a dimension is called, besides by whole words like "y".
struct RoleName {
  std::string_view part;
  Role role;
};

constexpr std::array<RoleName, 21> kRoleNames{
    {{"band", Role::band},     {"wave", Role::band},    {"spectral", Role::band},  {"channel", Role::band},
     {"lambda", Role::band},   {"wvl", Role::band},     {"crosstrack", Role::col}, {"acrosstrack", Role::col},
     {"longitude", Role::col}, {"easting", Role::col},  {"sample", Role::col},     {"column", Role::col},
     {"cols", Role::col},      {"pixel", Role::col},    {"downtrack", Role::row},  {"alongtrack", Role::row},
     {"latitude", Role::row},  {"northing", Role::row}, {"scanline", Role::row},   {"lines", Role::row},
     {"rows", Role::row}}};

/// Axes along which no spectrum runs have the role `other`.
constexpr std::array<RoleName, 30> kWholeNames{
    {{"x", Role::col},          {"rlon", Role::col},     {"rlat", Role::row},  {"time", Role::other},
     {"t", Role::other},        {"date", Role::other},   {"day", Role::other}, {"month", Role::other},
     {"year", Role::other},     {"level", Role::other},  {"lev", Role::other}, {"depth", Role::other},
     {"pressure", Role::other}, {"member", Role::other}, {"xc", Role::col},    {"nx", Role::col},
     {"lon", Role::col},        {"col", Role::col},      {"width", Role::col}, {"xtrack", Role::col},
     {"y", Role::row},          {"yc", Role::row},       {"ny", Role::row},    {"lat", Role::row},
     {"row", Role::row},        {"line", Role::row},     {"scan", Role::row},  {"height", Role::row},
     {"atrack", Role::row},     {"wl", Role::band}}};

Role role_of(const GDALDimension& dimension) {
  if (dimension.GetType() == GDAL_DIM_TYPE_HORIZONTAL_X ||
      dimension.GetType() == GDAL_DIM_TYPE_HORIZONTAL_Y) {
    return dimension.GetType() == GDAL_DIM_TYPE_HORIZONTAL_X ? Role::col : Role::row;
  }
  auto name = text::lower(dimension.GetName());
  std::erase_if(name, [](char c) { return c < 'a' || c > 'z'; });
  const auto whole = std::find_if(kWholeNames.begin(), kWholeNames.end(),
                                  [&](const auto& known) { return name == known.part; });
  if (whole != kWholeNames.end()) {
    return whole->role;
  }
  const auto part = std::find_if(kRoleNames.begin(), kRoleNames.end(), [&](const auto& known) {
    return name.find(known.part) != std::string::npos;
  });
  return part == kRoleNames.end() ? Role::unknown : part->role;
}

void collect_arrays(const GDALGroup& group, int depth, std::vector<ArrayPtr>& arrays) {
  for (const auto& name : group.GetMDArrayNames()) {
    auto array = group.OpenMDArray(name);
    if (array && array->GetDataType().GetClass() == GEDTC_NUMERIC) {
      arrays.push_back(std::move(array));
    }
  }
  for (const auto& name : group.GetGroupNames()) {
    if (const auto inner = depth < kDeepestGroup ? group.OpenGroup(name) : nullptr) {
      collect_arrays(*inner, depth + 1, arrays);
    }
  }
}

/// The dimensions that have more than one element; the others do not matter, beyond the first three.
std::vector<int> axes_of(const GDALMDArray& array) {
  const auto& dimensions = array.GetDimensions();
  std::vector<int> axes(dimensions.size());
  std::iota(axes.begin(), axes.end(), 0);
  if (axes.size() > 3) {
    std::erase_if(axes, [&](int axis) { return dimensions[static_cast<std::size_t>(axis)]->GetSize() == 1; });
  }
  return axes;
}

std::string described(const GDALMDArray& array) {
  std::vector<std::string> sizes;
  for (const auto& dimension : array.GetDimensions()) {
    sizes.push_back(text::concat(dimension->GetName(), " ", dimension->GetSize()));
  }
  return text::concat(array.GetFullName(), " (", text::join(sizes, ", "), ")");
}

/// The only axis as long as the file's wavelengths, if there is one.
std::optional<int> axis_of_wavelengths(const GDALMDArray& array, const std::vector<ArrayPtr>& all) {
  std::vector<int> found;
  for (const int axis : axes_of(array)) {
    if (std::any_of(all.begin(), all.end(), [&](const ArrayPtr& other) {
          return is_wavelength_array(*other) && size_along(*other, 0) == size_along(array, axis);
        })) {
      found.push_back(axis);
    }
  }
  return found.size() == 1 ? std::optional(found[0]) : std::nullopt;
}

/// The only axis of this role, if there is one.
std::optional<int> axis_with(Role role, const GDALMDArray& array) {
  std::vector<int> found;
  for (const int axis : axes_of(array)) {
    if (role_of(*array.GetDimensions()[static_cast<std::size_t>(axis)]) == role) {
      found.push_back(axis);
    }
  }
  return found.size() == 1 ? std::optional(found[0]) : std::nullopt;
}

std::optional<int> band_axis(const GDALMDArray& array, const std::vector<ArrayPtr>& all) {
  if (const auto named = axis_with(Role::band, array)) {
    return named;
  }
  const auto row = axis_with(Role::row, array);
  const auto col = axis_with(Role::col, array);
  if (row && col) {
    auto rest = axes_of(array);
    std::erase_if(rest, [&](int axis) { return axis == *row || axis == *col; });
    const auto& dimension = *array.GetDimensions()[static_cast<std::size_t>(rest.front())];
    return role_of(dimension) == Role::other ? std::nullopt : std::optional(rest.front());
  }
  return axis_of_wavelengths(array, all);
}

/// Of the two axes that are left, the rows come first unless their names say otherwise.
CubeArray with_image_axes(CubeArray place, const GDALMDArray& array, const std::vector<int>& axes) {
  const bool turned = axis_with(Role::col, array) == std::optional(axes[0]) ||
                      axis_with(Role::row, array) == std::optional(axes[1]);
  place.row_axis = axes[turned ? 1 : 0];
  place.col_axis = axes[turned ? 0 : 1];
  return place;
}

CubeArray place_of(const GDALMDArray& array, const std::vector<ArrayPtr>& all,
                   const std::filesystem::path& path) {
  auto axes = axes_of(array);
  CubeArray place;
  place.name = array.GetFullName();
  if (axes.size() == 3) {
    const auto bands = band_axis(array, all);
    if (!bands) {
      throw InputError(text::concat(
          path.string(), ": cannot tell which dimension of ", described(array),
          " holds the bands; name the dimensions band, y and x, or convert the image to ENVI or GeoTIFF"));
    }
    place.band_axis = *bands;
    std::erase(axes, *bands);
  }
  return with_image_axes(std::move(place), array, axes);
}

/// The arrays with this many dimensions.
std::vector<ArrayPtr> of_rank(std::size_t rank, std::vector<ArrayPtr> arrays) {
  std::erase_if(arrays, [&](const ArrayPtr& array) { return axes_of(*array).size() != rank; });
  return arrays;
}

std::string listed(const std::vector<ArrayPtr>& arrays) {
  constexpr std::size_t kMostNamed = 8;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < std::min(arrays.size(), kMostNamed); ++i) {
    names.push_back(described(*arrays[i]));
  }
  const auto more = arrays.size() - names.size();
  return text::join(names, ", ") + (more == 0 ? std::string() : text::concat(" and ", more, " more"));
}

/// The names, less all but their letters, of attributes that state what marks missing data.
constexpr std::array<std::string_view, 6> kMissingNames{"fillvalue", "missingvalue", "dataignorevalue",
                                                        "nodata",    "nodatavalue",  "ignorevalue"};

/// The numbers of an attribute, also if they were written as text.
std::vector<double> numbers_of(const GDALAttribute& attribute) {
  if (attribute.GetDataType().GetClass() == GEDTC_NUMERIC) {
    return attribute.ReadAsDoubleArray();
  }
  const char* written = attribute.ReadAsString();
  const std::string text = text::trimmed(written == nullptr ? std::string_view() : written);
  double value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  return fault == std::errc() && end == text.data() + text.size() ? std::vector{value}
                                                                  : std::vector<double>();
}

}  // namespace

std::uint64_t size_along(const GDALMDArray& array, int axis) {
  return array.GetDimensions()[static_cast<std::size_t>(axis)]->GetSize();
}

std::vector<ArrayPtr> arrays_of(GDALDataset& file) {
  std::vector<ArrayPtr> arrays;
  if (const auto root = file.GetRootGroup()) {
    collect_arrays(*root, 0, arrays);
  }
  return arrays;
}

bool is_wavelength_array(const GDALMDArray& array) {
  const auto name = text::lower(array.GetName());
  return array.GetDimensionCount() == 1 && (name.starts_with("wavelength") || name.starts_with("wvl") ||
                                            name == "center_wavelengths" || name == "wl");
}

CubeArray find_cube_array(GDALDataset& file, const std::filesystem::path& path) {
  const auto all = arrays_of(file);
  auto cubes = of_rank(3, all);
  if (cubes.empty()) {
    cubes = of_rank(2, all);
  }
  if (cubes.empty()) {
    throw InputError(text::concat(path.string(),
                                  ": holds no array of two or three dimensions, and therefore no image",
                                  all.empty() ? std::string() : text::concat("; it holds ", listed(all))));
  }
  if (cubes.size() > 1) {
    throw InputError(text::concat(path.string(), ": holds ", cubes.size(),
                                  " images, and it is not clear which one is the cube: ", listed(cubes),
                                  "; convert one of them to ENVI or GeoTIFF"));
  }
  return place_of(*cubes.front(), all, path);
}

std::vector<double> missing_values_of(GDALDataset& cube, const CubeArray& place,
                                      const std::filesystem::path& path) {
  const auto root = cube.GetRootGroup();
  const auto array = root ? root->OpenMDArrayFromFullname(place.name) : nullptr;
  if (!array) {
    return {};
  }
  std::vector<double> values;
  CPLStringList all;
  // Else those are left out that GDAL has used itself, though not all of their values.
  all.SetNameValue("SHOW_ALL", "YES");
  for (const auto& attribute : array->GetAttributes(all.List())) {
    auto name = text::lower(attribute->GetName());
    std::erase_if(name, [](char c) { return c < 'a' || c > 'z'; });
    if (std::find(kMissingNames.begin(), kMissingNames.end(), name) != kMissingNames.end()) {
      const auto stated = numbers_of(*attribute);
      values.insert(values.end(), stated.begin(), stated.end());
    }
  }
  // What a file is filled with before it is written marks missing data, unless it is what a dark pixel holds.
  const auto fill =
      EQUAL(cube.GetDriver()->GetDescription(), "HDF5") ? fill_value_of_hdf5(path, place.name) : std::nullopt;
  if (fill && *fill != 0) {
    values.push_back(*fill);
  }
  return values;
}

std::vector<std::string> limits_of(GDALDataset& cube, const CubeArray& place) {
  std::vector<std::string> limits;
  const auto root = cube.GetRootGroup();
  const auto array = root ? root->OpenMDArrayFromFullname(place.name) : nullptr;
  for (const auto* name : {"valid_min", "valid_max", "valid_range"}) {
    if (array && array->GetAttribute(name)) {
      limits.emplace_back(name);
    }
  }
  return limits;
}

}  // namespace hyperdefect::format
