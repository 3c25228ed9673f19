// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/model/model_file.h"

#include <torch/nn/modules/linear.h>

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>

#include "hyperdefect/core/error.h"
#include "support/expect_error.h"
#include "support/temp_dir.h"

namespace hyperdefect::model {
namespace {

TensorFile example() {
  return {{{"double", torch::tensor({1.5, -2.5}, torch::kDouble)},
           {"float", torch::tensor({{1.0F, 2.0F, 3.0F}, {4.0F, 5.0F, 6.0F}})},
           {"half", torch::tensor({0.5F, 3.0F}).to(torch::kBFloat16)},
           {"long", torch::tensor(std::int64_t{1} << 40)},
           {"int", torch::tensor({-7}, torch::kInt)},
           {"byte", torch::tensor({0, 255}, torch::kByte)},
           {"bool", torch::tensor({true, false, true})},
           {"empty", torch::empty({0, 3})}},
          {{"format", "a test"}, {"text", "two\nlines, \"quoted\" and ü"}}};
}

class ModelFile : public ::testing::Test {
 protected:
  /// Writes a file with this header and so many bytes of data.
  void write(const std::string& header, std::size_t data_bytes = 0) const {
    const std::uint64_t length = header.size();
    std::string bytes(sizeof length, '\0');
    std::memcpy(bytes.data(), &length, sizeof length);
    test::write_bytes(path_, bytes + header + std::string(data_bytes, '\1'));
  }

  void expect_damaged(const std::string& reason) const {
    HYPERDEFECT_EXPECT_ERROR(read_tensors(path_), ModelError,
                             path_.string() + ": not a whole safetensors file (" + reason +
                                 "): use the file as training wrote it, or train again");
  }

  test::TempDir folder_;
  std::filesystem::path path_ = folder_ / "m.safetensors";
};

TEST_F(ModelFile, RoundTripKeepsEveryTypeAndText) {
  const auto content = example();
  write_tensors(path_, content);
  const auto read = read_tensors(path_);
  EXPECT_EQ(read.metadata, content.metadata);
  ASSERT_EQ(read.tensors.size(), content.tensors.size());
  for (const auto& [name, tensor] : content.tensors) {
    const auto& other = read.tensors.at(name);
    EXPECT_EQ(other.scalar_type(), tensor.scalar_type()) << name;
    EXPECT_TRUE(torch::equal(other, tensor)) << name;
  }
}

TEST_F(ModelFile, EqualContentGivesEqualBytes) {
  write_tensors(path_, example());
  auto again = example();
  again.tensors["float"] = again.tensors["float"].t().contiguous().t();
  write_tensors(folder_ / "again.safetensors", again);
  EXPECT_EQ(test::read_bytes(path_), test::read_bytes(folder_ / "again.safetensors"));
}

TEST_F(ModelFile, DataBeginsAtAMultipleOfEightBytes) {
  for (const char* text : {"", "1", "12", "1234567"}) {
    write_tensors(path_, {{{"x", torch::ones({2})}}, {{"text", text}}});
    EXPECT_EQ((test::read_bytes(path_).size() - 8) % 8, 0U);
  }
}

TEST_F(ModelFile, RefusesTypesWithoutAPlace) {
  HYPERDEFECT_EXPECT_ERROR(write_tensors(path_, {{{"x", torch::ones({2}, torch::kComplexFloat)}}, {}}), Error,
                           "a tensor of type ComplexFloat cannot be stored in a safetensors file");
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(ModelFile, SaysThatThereIsNone) {
  HYPERDEFECT_EXPECT_ERROR(read_tensors(folder_ / "none"), ModelError,
                           "none: no such model file, or it cannot be read");
  HYPERDEFECT_EXPECT_ERROR(read_tensors(folder_.path()), ModelError,
                           ": is a folder; a model file (.safetensors) is needed");
}

TEST_F(ModelFile, SaysWhatIsDamaged) {
  write_tensors(path_, {{{"x", torch::ones({4})}}, {}});
  const auto bytes = test::read_bytes(path_);
  test::write_bytes(path_, "");
  expect_damaged("0 bytes");
  test::write_bytes(path_, bytes.substr(0, 20));
  expect_damaged("its header is longer than the file");
  test::write_bytes(path_, bytes.substr(0, bytes.size() - 3));
  expect_damaged("13 bytes of data, but its header describes 16");
  test::write_bytes(path_, std::string(100, 'g'));
  expect_damaged("its header is longer than the file");
}

TEST_F(ModelFile, RefusesHeadersThatAreNotTheFormats) {
  const std::string json = "its header is not the JSON that the format asks for";
  for (const char* header :
       {"not JSON", "[1, 2]", "{}{}", R"({"name": "a foreign JSON"})", R"({"x": {"dtype": "F32"}})",
        R"({"__metadata__": {"format": 1}})",
        R"({"x": {"dtype": "F32", "shape": 4, "data_offsets": [0, 16]}})",
        R"({"x": {"dtype": "F32", "shape": [[4]], "data_offsets": [0, 16]}})",
        R"({"x": {"dtype": "F32", "shape": [4], "data_offsets": [0]}})",
        R"({"x": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16], "more": 1}})"}) {
    write(header, 16);
    expect_damaged(json);
  }
}

TEST_F(ModelFile, RefusesShapesThatCannotBe) {
  const auto entry = [](const std::string& shape, const std::string& offsets,
                        const std::string& type = "F32") {
    return R"({"x": {"dtype": ")" + type + R"(", "shape": )" + shape + R"(, "data_offsets": )" + offsets +
           "}}";
  };
  for (const char* shape : {"[4611686018427387904, 4]", "[4294967296, 4294967296]", "[18446744073709551615]",
                            "[0, 4611686018427387904, 8]"}) {
    write(entry(shape, "[0, 16]"), 16);
    expect_damaged("the shape of x does not fit the file");
  }
  write(entry("[3]", "[0, 16]"), 16);
  expect_damaged("the shape of x asks for 12 bytes, but it has those from 0 to 16");
  write(entry("[2]", "[12, 20]"), 16);
  expect_damaged("12 bytes before x belong to no tensor");
  write(entry("[2]", "[0, 8]"), 16);
  expect_damaged("16 bytes of data, but its header describes 8");
  write(entry("[2]", "[0, 8]", "F8_E4M3"), 8);
  expect_damaged("tensor type F8_E4M3 is unknown");
  write(entry("[0, 7]", "[0, 0]", "F16"));
  expect_damaged("tensor type F16 is unknown");
}

TEST_F(ModelFile, SaysWhatTheCallerWantsDone) {
  write("{}", 1);
  HYPERDEFECT_EXPECT_ERROR(read_tensors(path_, "; remove it"), ModelError,
                           "(1 bytes of data, but its header describes 0); remove it");
}

TEST_F(ModelFile, HeaderAloneTakesNoMemory) {
  write_tensors(path_, example());
  const auto header = read_header(path_);
  EXPECT_EQ(header.metadata, example().metadata);
  EXPECT_EQ(differences(example().tensors, header.tensors), "");
  for (const auto& [name, tensor] : header.tensors) {
    EXPECT_TRUE(tensor.is_meta()) << name;
  }
}

TEST(ValueFaults, NamesWhatIsNotFiniteOrNotACount) {
  EXPECT_EQ(value_faults(example().tensors), "int is a count and below 0");
  EXPECT_EQ(value_faults({{"a", torch::tensor({1.0F, std::nanf("")})},
                          {"b", torch::tensor({HUGE_VAL}, torch::kDouble)},
                          {"c", torch::ones({2})}}),
            "a holds values that are not finite; b holds values that are not finite");
}

TEST(ValueFaults, AreFewInALine) {
  std::map<std::string, torch::Tensor> many;
  for (int i = 0; i < 9; ++i) {
    many[std::to_string(i)] = torch::tensor({-1});
  }
  EXPECT_TRUE(value_faults(many).ends_with("5 is a count and below 0; and 3 more")) << value_faults(many);
}

TEST_F(ModelFile, PythonsPackageOpensIt) {
  if (std::system("python3 -c 'import safetensors.numpy' 2>/dev/null") != 0) {
    GTEST_SKIP() << "needs python3 with the packages safetensors and numpy";
  }
  auto content = example();
  content.tensors.erase("half");  // numpy has no bfloat16
  write_tensors(path_, content);
  const auto command =
      "python3 -c \"import safetensors, sys; f = safetensors.safe_open(sys.argv[1], 'np'); "
      "assert f.metadata()['format'] == 'a test'; "
      "assert f.get_tensor('float').tolist() == [[1, 2, 3], [4, 5, 6]]; "
      "assert f.get_tensor('double').tolist() == [1.5, -2.5]; "
      "assert f.get_tensor('bool').tolist() == [True, False, True]; "
      "assert f.get_tensor('empty').shape == (0, 3); assert f.get_tensor('long') == 1 << 40\" '" +
      path_.string() + "'";
  EXPECT_EQ(std::system(command.c_str()), 0);
}

struct PairImpl : torch::nn::Module {
  PairImpl() : torch::nn::Module("Pair") {
    layer = register_module("layer", torch::nn::Linear(3, 2));
    mean = register_buffer("mean", torch::zeros({3}, torch::kDouble));
  }
  torch::nn::Linear layer{nullptr};
  torch::Tensor mean;
};

TEST(ModuleState, HoldsParametersAndBuffersByPath) {
  const PairImpl module;
  const auto state = state_of(module);
  ASSERT_EQ(state.size(), 3U);
  EXPECT_TRUE(state.at("layer.weight").is_same(module.layer->weight));
  EXPECT_TRUE(state.at("layer.bias").is_same(module.layer->bias));
  EXPECT_TRUE(state.at("mean").is_same(module.mean));
}

TEST(ModuleState, IsCopiedIntoAnotherModule) {
  const PairImpl from;
  from.mean.fill_(4.0);
  PairImpl into;
  load_state(into, state_of(from), "here");
  EXPECT_TRUE(torch::equal(into.layer->weight, from.layer->weight));
  EXPECT_TRUE(torch::equal(into.mean, from.mean));
  from.mean.fill_(5.0);
  EXPECT_EQ(into.mean[0].item<double>(), 4.0);
}

TEST(ModuleState, ListsAllThatDoesNotFitAndChangesNothing) {
  PairImpl module;
  const auto before = module.layer->bias.detach().clone();
  const std::map<std::string, torch::Tensor> tensors{{"layer.weight", torch::zeros({2, 4})},
                                                     {"layer.bias", torch::zeros({2})},
                                                     {"mean", torch::zeros({3})},
                                                     {"other", torch::zeros({1})}};
  HYPERDEFECT_EXPECT_ERROR(
      load_state(module, tensors, "m.safetensors"), ModelError,
      "m.safetensors: does not fit the model that its configuration describes: layer.weight is "
      "(2, 4) Float instead of (2, 3) Float; mean is (3) Float instead of (3) Double; other is "
      "unknown");
  HYPERDEFECT_EXPECT_ERROR(load_state(module, {}, "empty"), ModelError,
                           "layer.bias is missing; layer.weight is missing; mean is missing");
  EXPECT_TRUE(torch::equal(module.layer->bias, before));
}

}  // namespace
}  // namespace hyperdefect::model
