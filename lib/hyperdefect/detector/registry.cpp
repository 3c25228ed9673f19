// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/detector/registry.h"

#include <algorithm>
#include <array>
#include <functional>
#include <string_view>
#include <type_traits>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/detector/autoencoder/autoencoder_detector.h"
#include "hyperdefect/detector/classical/area_filter_detector.h"
#include "hyperdefect/detector/classical/crd_detector.h"
#include "hyperdefect/detector/classical/local_rx_detector.h"
#include "hyperdefect/detector/classical/rx_detector.h"
#include "hyperdefect/detector/ensemble/ensemble_detector.h"
#include "hyperdefect/detector/likelihood_ratio/likelihood_ratio_detector.h"
#include "hyperdefect/detector/segmenter/segmenter_detector.h"

namespace hyperdefect::detector {
namespace {

constexpr const char* kEnsemble = "ensemble";

/// Options that say `components`, of a detector that takes principal components of its own.
template <class Own>
concept HasComponents = requires(const Own& own) {
  own.principal_components();
};

template <class Made, class Own, Input kInput>
constexpr Row row(const char* name, const char* help) {
  return {name,
          help,
          kInput,
          std::is_base_of_v<Trainable, Made> && !std::is_same_v<Made, EnsembleDetector>,
          [](OwnOptions& options, const std::string& called) { options.add<Own>(called); },
          [](config::Section& section, std::any& own, const DetectorOptions& all) {
            declare(section, std::any_cast<Own&>(own), all);
          },
          [](const DetectorOptions& options) -> std::int64_t {
            if constexpr (HasComponents<Own>) {
              return options.of<Own>().principal_components();
            } else {
              return kInput == Input::components ? options.preprocess.components : 0;
            }
          },
          [](const DetectorOptions& options, const preprocess::Preprocess& preprocess)
              -> std::shared_ptr<Detector> { return std::make_shared<Made>(options, preprocess); }};
}

constexpr std::array kRegistry{
    row<AutoencoderDetector, AutoencoderOptions, Input::components>(
        "autoencoder",
        "a network reconstructs each spectrum from its surroundings; the score is what it cannot "
        "reconstruct"),
    row<SegmenterDetector, SegmenterOptions, Input::components>(
        "segmenter", "small networks learn to find objects that are implanted into the scene"),
    row<LikelihoodRatioDetector, LikelihoodRatioOptions, Input::features>(
        "likelihood_ratio",
        "how much better a spectrum fits the defect-free training spectra plus a smooth change than those "
        "spectra alone"),
    row<RxDetector, RxOptions, Input::values>("rx",
                                              "global RX, the Mahalanobis distance to the background mean"),
    row<AreaFilterDetector, AreaFilterOptions, Input::features>(
        "area_filter", "how much small bright and dark spots stand out, over principal components"),
    row<LocalRxDetector, LocalRxOptions, Input::features>("local_rx", "RX against a ring around each pixel"),
    row<CrdDetector, CrdOptions, Input::features>(
        "crd", "the part of a spectrum that the pixels of a ring around it cannot represent together"),
    row<EnsembleDetector, EnsembleOptions, Input::features>(
        kEnsemble, "the sum of the scores of several detectors, those of ensemble.members")};

const Row* find(const std::string& name) {
  const auto found =
      std::find_if(kRegistry.begin(), kRegistry.end(), [&](const Row& row) { return row.name == name; });
  return found == kRegistry.end() ? nullptr : &*found;
}

std::string help_of_all() {
  std::vector<std::string> lines;
  for (const auto& row : kRegistry) {
    lines.push_back(text::concat(row.name, ": ", row.help));
  }
  return text::concat("Which detector gives the score. ", text::join(lines, "; "),
                      ". Each has a section of its own.");
}

config::Choice::Names<std::string> all_names() {
  config::Choice::Names<std::string> names;
  for (const auto& row : kRegistry) {
    names.emplace_back(row.name, row.name);
  }
  return names;
}

bool takes_part(const DetectorOptions& options, const std::function<bool(const Row&)>& kind) {
  const auto is_of_kind = [&](const std::string& name) {
    const auto* row = find(name);
    return row != nullptr && kind(*row);
  };
  if (options.name != kEnsemble) {
    return is_of_kind(options.name);
  }
  const auto& members = options.of<EnsembleOptions>().members;
  return kind(*find(kEnsemble)) || std::any_of(members.begin(), members.end(), is_of_kind);
}

config::Use if_one_of(const DetectorOptions& options, std::function<bool(const Row&)> kind) {
  std::vector<std::string> names;
  for (const auto& row : kRegistry) {
    if (kind(row)) {
      names.emplace_back(row.name);
    }
  }
  const auto when = text::concat("model.detector is ", text::join(names, " or "), ", or ensemble with ",
                                 names.size() > 1 ? "one of them" : "it");
  return {[&options, kind = std::move(kind)] { return takes_part(options, kind); }, when};
}

void declare_model(config::Section& section, DetectorOptions& options) {
  section.add("detector", config::Choice(&options.name, all_names()), help_of_all())
      .value_formerly("fused", kEnsemble)
      .value_formerly("likelihood", "likelihood_ratio")
      .level(config::Level::basic);
  section.used_if(if_a_network_learns(options));
  section
      .add(
          "attention_window", &options.attention_window,
          "Side, in tokens, of the square windows that attention works in; they start at the image's corner. "
          "Each halving of the resolution doubles the side of a token, which is 1 pixel at full resolution.")
      .range(1, 64)
      .level(config::Level::expert);
  section
      .add("precision", config::Choice(&options.precision, nn::named_choices<nn::Arithmetic>()),
           "Arithmetic of the networks. bfloat16 is about twice as fast on processors that have it, and slow "
           "on others. A threshold is valid only for the precision that it was set with.")
      .level(config::Level::advanced);
}

}  // namespace

DetectorOptions::DetectorOptions() {
  for (const auto& row : kRegistry) {
    row.add_options(own, row.name);
  }
}

void DetectorOptions::refuse_type() {
  throw Error("no detector has options of this type");
}

std::span<const Row> registry() {
  return kRegistry;
}

std::vector<std::string> member_names() {
  std::vector<std::string> names;
  for (const auto& row : kRegistry) {
    if (row.name != std::string_view(kEnsemble)) {
      names.emplace_back(row.name);
    }
  }
  return names;
}

std::int64_t components_taken(const DetectorOptions& options) {
  std::int64_t most = 0;
  takes_part(options, [&](const Row& row) {
    most = std::max(most, row.components(options));
    return false;
  });
  return most;
}

std::shared_ptr<Detector> make_detector(const DetectorOptions& options,
                                        const preprocess::Preprocess& preprocess) {
  if (const auto* row = find(options.name)) {
    return row->make(options, preprocess);
  }
  throw ConfigError(text::concat("model.detector: '", options.name, "' is unknown"));
}

bool a_network_learns(const DetectorOptions& options) {
  return takes_part(options, [](const Row& row) { return row.learns; });
}

config::Use if_a_network_learns(const DetectorOptions& options) {
  return if_one_of(options, [](const Row& row) { return row.learns; });
}

config::Use if_ensemble(const DetectorOptions& options) {
  return {[&options] { return options.name == kEnsemble; }, text::concat("model.detector is ", kEnsemble)};
}

void declare(config::Schema& schema, DetectorOptions& options) {
  const config::SectionTraits learned{.fixed_by_training = true};
  preprocess::declare(
      schema.section("preprocess", "From the bands of a cube to what the detector sees.").traits(learned),
      options.preprocess,
      if_one_of(options,
                [](const Row& row) {
                  return row.input != Input::values && row.name != std::string_view(kEnsemble);
                }),
      if_one_of(options, [](const Row& row) { return row.input == Input::components; }));
  declare_model(
      schema.section("model", "The detector, and what the networks of all detectors share.").traits(learned),
      options);
  for (const auto& row : kRegistry) {
    auto& section = schema.section(row.name, text::concat("The detector ", row.name, ": ", row.help, "."))
                        .traits(learned);
    const std::string name = row.name;
    section.used_if(name == kEnsemble ? if_ensemble(options) : if_one_of(options, [name](const Row& other) {
      return other.name == name;
    }));
    row.declare(section, options.own.at(name), options);
  }
}

}  // namespace hyperdefect::detector
