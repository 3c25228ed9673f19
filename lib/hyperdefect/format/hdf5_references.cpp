// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/format/hdf5_references.h"

#include <hdf5.h>

#include <array>
#include <string_view>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/core/utf8.h"

namespace hyperdefect::format {
namespace {

constexpr std::size_t kLongestName = 4096;
/// How a virtual dataset names the file that it lies in.
constexpr std::string_view kSameFile = ".";

/// Closes any object of the HDF5 library.
class Handle {
 public:
  Handle(hid_t id, herr_t (*close)(hid_t)) : id_(id), close_(close) {}
  ~Handle() {
    if (*this) {
      close_(id_);
    }
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  explicit operator bool() const { return id_ >= 0; }
  hid_t id() const { return id_; }

 private:
  hid_t id_;
  herr_t (*close_)(hid_t);
};

std::string from(const char* file) {
  return text::concat("another file, ", text::shown(file));
}

std::string path_of(const char* name) {
  return text::shown(text::concat('/', name));
}

/// Where a dataset keeps its values if that is another file, else "".
std::string storage_elsewhere(hid_t dataset) {
  const Handle properties(H5Dget_create_plist(dataset), H5Pclose);
  if (!properties) {
    return {};
  }
  std::array<char, kLongestName> name{};
  if (H5Pget_external_count(properties.id()) > 0) {
    H5Pget_external(properties.id(), 0, name.size() - 1, name.data(), nullptr, nullptr);
    return text::concat("keeps its values in ", from(name.data()));
  }
  std::size_t sources = 0;
  if (H5Pget_layout(properties.id()) == H5D_VIRTUAL) {
    H5Pget_virtual_count(properties.id(), &sources);
  }
  for (std::size_t i = 0; i < sources; ++i) {
    const auto length = H5Pget_virtual_filename(properties.id(), i, name.data(), name.size() - 1);
    if (length < 0 || kSameFile != name.data()) {
      return text::concat("takes its values from ", from(name.data()));
    }
  }
  return {};
}

std::string target_of(hid_t group, const char* name, const H5L_info_t& info) {
  if (info.type != H5L_TYPE_EXTERNAL || info.u.val_size > kLongestName) {
    return "another file";
  }
  std::array<char, kLongestName> value{};
  const char* file = nullptr;
  const bool read = H5Lget_val(group, name, value.data(), value.size(), H5P_DEFAULT) >= 0 &&
                    H5Lunpack_elink_val(value.data(), info.u.val_size, nullptr, &file, nullptr) >= 0;
  return read ? from(file) : "another file";
}

/// Looks at one link; a value above 0 ends the visit. No exception may pass through the library.
herr_t look(hid_t group, const char* name, const H5L_info_t* info, void* found) {
  auto& reference = *static_cast<std::string*>(found);
  try {
    if (info->type != H5L_TYPE_HARD && info->type != H5L_TYPE_SOFT) {
      reference = text::concat("its link ", path_of(name), " leads into ", target_of(group, name, *info));
    } else if (info->type == H5L_TYPE_HARD) {
      const Handle object(H5Oopen(group, name, H5P_DEFAULT), H5Oclose);
      if (object && H5Iget_type(object.id()) == H5I_DATASET) {
        const auto elsewhere = storage_elsewhere(object.id());
        reference = elsewhere.empty() ? "" : text::concat("its dataset ", path_of(name), ' ', elsewhere);
      }
    }
  } catch (...) {
    return -1;
  }
  return reference.empty() ? 0 : 1;
}

/// Without locks, which network file systems may lack: nothing is written.
hid_t open_unlocked(const std::filesystem::path& path) {
  const Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
#if H5_VERSION_GE(1, 10, 7)
  H5Pset_file_locking(access.id(), false, true);
#endif
  return H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.id());
}

}  // namespace

void silence_hdf5() {
  thread_local const bool silent = H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr) >= 0;
  (void)silent;
}

std::string reference_out_of_hdf5(const std::filesystem::path& path) {
  silence_hdf5();
  const Handle file(open_unlocked(path), H5Fclose);
  std::string reference;
  const bool read = file && H5Lvisit(file.id(), H5_INDEX_NAME, H5_ITER_NATIVE, look, &reference) >= 0;
  if (!read && reference.empty()) {
    throw InputError("the HDF5 library cannot read it: it is damaged or cut off; copy or record it again");
  }
  return reference;
}

std::optional<double> fill_value_of_hdf5(const std::filesystem::path& path, const std::string& dataset) {
  silence_hdf5();
  const Handle file(open_unlocked(path), H5Fclose);
  const Handle data(file ? H5Dopen2(file.id(), dataset.c_str(), H5P_DEFAULT) : -1, H5Dclose);
  const Handle properties(data ? H5Dget_create_plist(data.id()) : -1, H5Pclose);
  H5D_fill_value_t status = H5D_FILL_VALUE_UNDEFINED;
  double value = 0;
  const bool chosen = properties && H5Pfill_value_defined(properties.id(), &status) >= 0 &&
                      status == H5D_FILL_VALUE_USER_DEFINED &&
                      H5Pget_fill_value(properties.id(), H5T_NATIVE_DOUBLE, &value) >= 0;
  return chosen ? std::optional(value) : std::nullopt;
}

}  // namespace hyperdefect::format
