// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/spectral/defect_likelihood.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace hyperdefect::spectral {
namespace {

const std::vector<double> kAmplitudes{0.02, 0.05, 0.1, 0.3, 1.0};

/// One value, mean 0, variance 1; a defect of amplitude 1 has the variance 100.
DefectLikelihood one_value() {
  return defect_likelihood({torch::ones({1}, torch::kDouble), torch::zeros({1, 1}, torch::kDouble),
                            torch::ones({1, 1, 1}, torch::kDouble)},
                           torch::full({1, 1}, 100.0, torch::kDouble));
}

NormalMixture two_parts() {
  const auto factor = torch::tensor({{2.0, 0.3, 0.0}, {0.3, 1.0, 0.2}, {0.0, 0.2, 0.5}}, torch::kDouble);
  return {torch::tensor({0.6, 0.4}, torch::kDouble),
          torch::tensor({{1.0, 2.0, 3.0}, {-1.0, 0.0, 4.0}}, torch::kDouble),
          torch::stack({factor, factor + torch::eye(3, torch::kDouble)})};
}

torch::Tensor defect_of_three() {
  const auto shape = torch::tensor({{10.0, 5.0, 1.0}}, torch::kDouble);
  return shape.t().matmul(shape) + torch::eye(3, torch::kDouble);
}

/// How much likelier `count` equal defects in pixels whose sum is s are than none, by the formula.
double by_hand(double sum, double count) {
  double likelihood = 0.0;
  for (const double amplitude : kAmplitudes) {
    const double added = amplitude * amplitude * 100;
    const double total = 1 + count * added;
    likelihood += std::exp(0.5 * added * sum * sum / total) / std::sqrt(total) / 5;
  }
  return std::log(likelihood);
}

torch::Tensor all_valid(std::int64_t rows, std::int64_t cols) {
  return torch::ones({rows, cols}, torch::kBool);
}

TEST(DefectRatio, MatchesTheFormulaOfOneValue) {
  const auto ratio = defect_ratio(one_value(), torch::tensor({{{0.0, 1.0, -6.0}}}, torch::kDouble));
  for (std::int64_t i = 0; i < 3; ++i) {
    EXPECT_NEAR(ratio[0][i].item<double>(), by_hand(i == 2 ? -6.0 : static_cast<double>(i), 1), 1e-12);
  }
}

TEST(DefectRatio, IsThatOfTwoMixtures) {
  const auto normal = two_parts();
  torch::manual_seed(3);
  const auto values = torch::randn({3, 4, 5}, torch::kDouble) * 3;
  const auto samples = values.flatten(1).t();
  std::vector<torch::Tensor> defective;
  for (const double amplitude : kAmplitudes) {
    auto widened = normal;
    widened.covariances = normal.covariances + amplitude * amplitude * defect_of_three();
    defective.push_back(log_densities(widened, samples).logsumexp(0));
  }
  const auto wanted =
      torch::stack(defective).logsumexp(0) - std::log(5.0) - log_densities(normal, samples).logsumexp(0);
  const auto got = defect_ratio(defect_likelihood(normal, defect_of_three()), values);
  EXPECT_TRUE(torch::allclose(got, wanted.view({4, 5}), 1e-9, 1e-9));
}

TEST(DefectRatio, DoesNotDependOnTheUnits) {
  auto scaled = two_parts();
  scaled.means = scaled.means * 1e3;
  scaled.covariances = scaled.covariances * 1e6;
  torch::manual_seed(3);
  const auto values = torch::randn({3, 4, 5}, torch::kDouble);
  const auto wanted = defect_ratio(defect_likelihood(two_parts(), defect_of_three()), values);
  const auto got = defect_ratio(defect_likelihood(scaled, defect_of_three() * 1e6), values * 1e3);
  EXPECT_TRUE(torch::allclose(got, wanted, 1e-9, 1e-9));
}

TEST(SharedDefectRatio, MatchesTheFormulaForTheBestSquare) {
  // The middle pixel belongs to four squares; in the lower right one all are 3, and all others are 0.
  auto values = torch::zeros({1, 3, 3}, torch::kDouble);
  values[0].slice(0, 1).slice(1, 1).fill_(3.0);
  const auto ratio = shared_defect_ratio(one_value(), values, all_valid(3, 3));
  EXPECT_NEAR(ratio[1][1].item<double>(), by_hand(12, 4) - by_hand(9, 3), 1e-12);
  // At the corner of the image the square that lies in it has three neighbours, the others one or none.
  EXPECT_NEAR(ratio[0][0].item<double>(),
              std::max(by_hand(3, 4) - by_hand(3, 3), by_hand(0, 2) - by_hand(0, 1)), 1e-12);
}

TEST(SharedDefectRatio, PrefersAgreementToStrength) {
  auto alone = torch::zeros({1, 5, 5}, torch::kDouble);
  alone[0][2][2] = 4.0;
  auto opposed = alone.clone();
  opposed[0][2][3] = opposed[0][3][2] = opposed[0][3][3] = -4.0;
  const auto at_centre = [](const torch::Tensor& values) {
    return shared_defect_ratio(one_value(), values, all_valid(5, 5))[2][2].item<double>();
  };
  EXPECT_GT(at_centre(opposed.abs()), at_centre(alone) + 3);
  EXPECT_GT(at_centre(opposed.abs()), at_centre(opposed) + 3);
}

TEST(SharedDefectRatio, CountsValidPixelsOnly) {
  auto values = torch::full({1, 3, 3}, 5.0, torch::kDouble);
  auto valid = torch::zeros({3, 3}, torch::kBool);
  valid[1][1] = true;
  EXPECT_EQ(shared_defect_ratio(one_value(), values, valid).abs().max().item<double>(), 0.0);
  valid[1][2] = true;
  const auto ratio = shared_defect_ratio(one_value(), values, valid);
  EXPECT_NEAR(ratio[1][1].item<double>(), by_hand(10, 2) - by_hand(5, 1), 1e-12);
  EXPECT_EQ(ratio[0][0].item<double>(), 0.0);
}

TEST(SharedDefectRatio, WeightsThePartsByTheirProbability) {
  // The second part is 1000 away: it has no say, and with all its weight it has all of it.
  const auto model = [](double weight) {
    return defect_likelihood(
        {torch::tensor({1 - weight, weight}, torch::kDouble),
         torch::tensor({{0.0}, {1000.0}}, torch::kDouble), torch::ones({2, 1, 1}, torch::kDouble)},
        torch::full({1, 1}, 100.0, torch::kDouble));
  };
  const auto values = torch::full({1, 2, 2}, 3.0, torch::kDouble);
  const auto ratio = [&](const DefectLikelihood& of) {
    return shared_defect_ratio(of, values, all_valid(2, 2))[0][0].item<double>();
  };
  EXPECT_NEAR(ratio(model(0.5)), ratio(one_value()), 1e-9);
  EXPECT_NEAR(ratio(model(0.0)), ratio(one_value()), 1e-9);
  EXPECT_GT(ratio(model(1.0)), 1000);
}

TEST(DefectLikelihood, RefusesWrongShapes) {
  EXPECT_THROW(defect_likelihood(two_parts(), torch::ones({2, 2})), c10::Error);
  EXPECT_THROW(defect_ratio(one_value(), torch::zeros({2, 3, 3})), c10::Error);
  EXPECT_THROW(shared_defect_ratio(one_value(), torch::zeros({2, 3, 3}), all_valid(3, 3)), c10::Error);
  EXPECT_THROW(shared_defect_ratio(one_value(), torch::zeros({1, 3, 3}), all_valid(2, 3)), c10::Error);
}

}  // namespace
}  // namespace hyperdefect::spectral
