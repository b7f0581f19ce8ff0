//===- MaskSolver.cpp - Keys that a formula lets a box see ------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Masks/MaskSolver.h"
#include "MaskPropagation.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace attn {

static constexpr size_t maxTerms = 16;
/// Beyond this many ops for one question, literals are solved one by one.
static constexpr unsigned maxPropagationOps = 500;
/// Beyond this many ops, what remains is taken for possible.
static constexpr unsigned maxOps = 5000;

MaskSolver::MaskSolver(MaskExprContext &context, MaskBox box,
                       unsigned keyDimension)
    : context(context), emitter(context.getEmitter()), box(std::move(box)),
      keyDimension(keyDimension) {}

uint64_t MaskSolver::getKeyBit() const {
  return uint64_t(1) << std::min(keyDimension, 63u);
}

//===----------------------------------------------------------------------===//
// Disjunctive normal form
//===----------------------------------------------------------------------===//

std::optional<MaskSolver::Term> MaskSolver::conjoin(const Term &lhs,
                                                    const Term &rhs) {
  MaskPropagation propagation(context, box);
  Term result = lhs;
  result.truth = emitter.conjoin(lhs.truth, rhs.truth);
  if (result.truth.isConstant(0))
    return std::nullopt;
  for (const Literal &literal : rhs.literals) {
    auto *same = llvm::find_if(result.literals, [&](const Literal &other) {
      return other.node == literal.node;
    });
    if (same == result.literals.end()) {
      result.literals.push_back(literal);
      continue;
    }
    same->interval = propagation.intersect(same->interval, literal.interval);
    if (propagation.isNonEmpty(same->interval).isConstant(0))
      return std::nullopt;
  }
  return result;
}

/// Drops terms that say more than another term does.
void MaskSolver::absorb(Terms &terms) {
  auto implies = [&](const Term &strong, const Term &weak) {
    if (!weak.truth.isConstant(1) && weak.truth != strong.truth)
      return false;
    return llvm::all_of(weak.literals, [&](const Literal &literal) {
      return llvm::any_of(strong.literals, [&](const Literal &other) {
        const MaskInterval &a = other.interval, &b = literal.interval;
        return other.node == literal.node && (!b.lower || a.lower == b.lower) &&
               (!b.upper || a.upper == b.upper);
      });
    });
  };
  for (size_t i = 0; i < terms.size(); ++i)
    for (size_t j = 0; j < terms.size();) {
      if (i != j && implies(terms[j], terms[i])) {
        terms.erase(terms.begin() + j);
        i -= j < i;
      } else {
        ++j;
      }
    }
}

std::optional<MaskSolver::Terms> MaskSolver::multiply(const Terms &lhs,
                                                      const Terms &rhs) {
  Terms result;
  for (const Term &a : lhs)
    for (const Term &b : rhs)
      if (std::optional<Term> both = conjoin(a, b)) {
        result.push_back(std::move(*both));
        if (result.size() > maxTerms * maxTerms)
          return std::nullopt;
      }
  absorb(result);
  if (result.size() > maxTerms)
    return std::nullopt;
  return result;
}

std::optional<MaskSolver::Terms>
MaskSolver::computeNormalForm(MaskFormula *formula) {
  switch (formula->kind) {
  case MaskFormula::Kind::True:
    return Terms{Term()};
  case MaskFormula::Kind::False:
    return Terms{};
  case MaskFormula::Kind::Truth:
    return Terms{Term{formula->truth, {}}};
  case MaskFormula::Kind::Literal:
    return Terms{Term{1, {{formula->node, {formula->lower, formula->upper}}}}};
  case MaskFormula::Kind::Or: {
    Terms result;
    for (MaskFormula *child : formula->children) {
      const std::optional<Terms> &terms = normalize(child);
      if (!terms)
        return std::nullopt;
      result.append(terms->begin(), terms->end());
      absorb(result);
      if (result.size() > maxTerms)
        return std::nullopt;
    }
    return result;
  }
  case MaskFormula::Kind::And: {
    std::optional<Terms> result = Terms{Term()};
    for (MaskFormula *child : formula->children) {
      const std::optional<Terms> &terms = normalize(child);
      if (!terms)
        return std::nullopt;
      result = multiply(*result, *terms);
      if (!result)
        return std::nullopt;
    }
    return result;
  }
  }
  return std::nullopt;
}

const std::optional<MaskSolver::Terms> &
MaskSolver::normalize(MaskFormula *formula) {
  auto known = normalForms.find(formula);
  if (known == normalForms.end()) {
    std::optional<Terms> terms = computeNormalForm(formula);
    known = normalForms.try_emplace(formula, std::move(terms)).first;
  }
  return known->second;
}

SmallVector<MaskFormula *> MaskSolver::group(MaskFormula *conjunction) {
  // Conditions of one term cost nothing, so every group gets them.
  SmallVector<MaskFormula *> common, rest, groups;
  for (MaskFormula *child : conjunction->children) {
    const std::optional<Terms> &terms = normalize(child);
    (terms && terms->size() <= 1 ? common : rest).push_back(child);
  }
  SmallVector<MaskFormula *> current = common;
  MaskFormula *pending = nullptr;
  for (MaskFormula *child : rest) {
    current.push_back(child);
    MaskFormula *candidate = context.conjoin(current);
    if (normalize(candidate)) {
      pending = candidate;
      continue;
    }
    if (pending)
      groups.push_back(pending);
    current = common;
    current.push_back(child);
    candidate = context.conjoin(current);
    if (normalize(candidate)) {
      pending = candidate;
      continue;
    }
    groups.push_back(child);
    current = common;
    pending = common.empty() ? nullptr : context.conjoin(common);
  }
  if (pending)
    groups.push_back(pending);
  return groups;
}

//===----------------------------------------------------------------------===//
// Whether a formula may hold
//===----------------------------------------------------------------------===//

Scalar MaskSolver::mayHold(MaskFormula *formula) {
  firstOp = emitter.getNumOps();
  return computeMayHold(formula);
}

Scalar MaskSolver::computeMayHold(MaskFormula *formula) {
  auto known = answers.find(formula);
  if (known != answers.end())
    return known->second;
  Scalar answer = 0;
  std::optional<Terms> terms = normalize(formula);
  if (terms) {
    for (const Term &term : *terms)
      answer = emitter.disjoin(answer, mayHold(term));
  } else if (formula->kind == MaskFormula::Kind::Or) {
    for (MaskFormula *child : formula->children)
      answer = emitter.disjoin(answer, computeMayHold(child));
  } else {
    answer = 1;
    for (MaskFormula *part : group(formula))
      answer = emitter.conjoin(answer, computeMayHold(part));
  }
  answers[formula] = answer;
  return answer;
}

SmallVector<SmallVector<MaskSolver::Literal, 4>>
MaskSolver::getComponents(const Term &term) {
  SmallVector<SmallVector<Literal, 4>> components;
  SmallVector<uint64_t> dimensions;
  if (emitter.getNumOps() - firstOp > maxPropagationOps) {
    for (const Literal &literal : term.literals)
      components.push_back({literal});
    return components;
  }
  for (const Literal &literal : term.literals) {
    SmallVector<Literal, 4> merged{literal};
    uint64_t bits = literal.node->dimensions;
    for (size_t i = 0; i < components.size();) {
      if ((dimensions[i] & bits) == 0) {
        ++i;
        continue;
      }
      bits |= dimensions[i];
      merged.insert(merged.begin(), components[i].begin(), components[i].end());
      components.erase(components.begin() + i);
      dimensions.erase(dimensions.begin() + i);
      i = 0;
    }
    // Remainders sharpen what the others have narrowed; what is searched is
    // searched for where all others leave something.
    auto getRank = [](const Literal &literal) {
      return literal.node->isSearched ? 2 : literal.node->isPeriodic ? 1 : 0;
    };
    SmallVector<Literal, 4> ordered;
    for (int rank : {0, 1, 2})
      llvm::copy_if(
          merged, std::back_inserter(ordered),
          [&](const Literal &literal) { return getRank(literal) == rank; });
    components.push_back(std::move(ordered));
    dimensions.push_back(bits);
  }
  return components;
}

Scalar MaskSolver::mayHold(const Term &term) {
  Scalar answer = term.truth;
  if (emitter.getNumOps() > maxOps)
    return answer;
  for (const SmallVector<Literal, 4> &component : getComponents(term))
    answer = emitter.conjoin(answer, mayHoldTogether(component));
  return answer;
}

/// Finds the one node through which everything depends on positions, or adds
/// several to `nodes`: a sum of positions, or a position.
static void findInterface(MaskNode *node,
                          llvm::SmallSetVector<MaskNode *, 4> &nodes) {
  bool isInterface = node->kind == MaskNode::Kind::Dimension;
  if (node->kind == MaskNode::Kind::Form)
    isInterface = llvm::all_of(node->terms, [](const MaskLinear::Term &term) {
      return term.node->kind == MaskNode::Kind::Dimension;
    });
  if (isInterface || nodes.size() > 1) {
    nodes.insert(node);
    return;
  }
  for (const MaskLinear::Term &term : node->terms)
    findInterface(term.node, nodes);
  for (const MaskAffine &part : {node->a, node->b})
    if (part.node)
      findInterface(part.node, nodes);
}

Scalar MaskSolver::mayHoldTogether(ArrayRef<Literal> literals) {
  MaskPropagation propagation(context, box);
  if (literals.size() == 1 && !literals.front().node->isPeriodic) {
    // No part can be sharper than the whole.
    return propagation.mayLieIn(literals.front().node,
                                literals.front().interval);
  }
  llvm::SmallSetVector<MaskNode *, 4> interface;
  for (const Literal &literal : literals)
    findInterface(literal.node, interface);
  if (interface.size() == 1)
    propagation.stopAt(interface.front());
  // A second round pays where what one literal narrows sharpens another; all
  // literals of one node, a remainder last, are exact at once.
  auto numPeriodic = llvm::count_if(literals, [](const Literal &literal) {
    return literal.node->isPeriodic;
  });
  bool once =
      literals.size() == 1 || (interface.size() == 1 && numPeriodic < 2);
  for (unsigned round = 0; round < (once ? 1 : 2); ++round)
    for (const Literal &literal : literals)
      propagation.narrow(literal.node, literal.interval);
  Scalar answer = emitter.conjoin(propagation.isFeasible(),
                                  propagation.haveDimensionsValues());
  for (const Literal &literal : literals)
    if (literal.node->kind == MaskNode::Kind::Order)
      answer = emitter.conjoin(
          answer, propagation.mayLieIn(literal.node, literal.interval));
    else if (literal.node->kind != MaskNode::Kind::Modulo)
      answer = emitter.conjoin(
          answer, propagation.isNonEmpty(propagation.evaluate(literal.node)));
  return answer;
}

//===----------------------------------------------------------------------===//
// Ranges of keys
//===----------------------------------------------------------------------===//

MaskRange MaskSolver::getWhole() {
  MaskInterval key = box.lookup(keyDimension);
  return {*key.lower, emitter.add(*key.upper, 1)};
}

MaskRange MaskSolver::getRange(const Term &term) {
  if (emitter.getNumOps() > maxOps)
    return getWhole();
  // Remainders of what mixes keys with rows say little about a range of keys.
  Term plain = term;
  llvm::erase_if(plain.literals, [&](const Literal &literal) {
    return literal.node->kind == MaskNode::Kind::Modulo &&
           (literal.node->dimensions & getKeyBit()) != 0 &&
           (literal.node->dimensions & ~getKeyBit()) != 0;
  });
  Scalar feasible = term.truth;
  MaskPropagation propagation(context, box);
  propagation.keepRemaindersOf(getKeyBit());
  for (const SmallVector<Literal, 4> &component : getComponents(plain)) {
    bool onKey = llvm::any_of(component, [&](const Literal &literal) {
      return (literal.node->dimensions & getKeyBit()) != 0;
    });
    if (!onKey) {
      feasible = emitter.conjoin(feasible, mayHoldTogether(component));
      continue;
    }
    bool isSingle = component.size() == 1;
    propagation.restrictTo(isSingle ? getKeyBit() : ~uint64_t(0));
    for (unsigned round = 0; round < (isSingle ? 1 : 2); ++round)
      for (const Literal &literal : component)
        propagation.narrow(literal.node, literal.interval);
    for (const Literal &literal : component)
      if ((literal.node->dimensions & getKeyBit()) == 0)
        feasible = emitter.conjoin(
            feasible, propagation.mayLieIn(literal.node, literal.interval));
  }
  feasible = emitter.conjoin(feasible, propagation.isFeasible());
  MaskNode *key =
      context.getDimension(keyDimension, std::nullopt).terms.front().node;
  MaskInterval keys = propagation.evaluate(key);
  Scalar end = emitter.incrementInside(*keys.upper);
  return {*keys.lower, emitter.select(feasible, end, 0)};
}

SmallVector<MaskRange> MaskSolver::getRanges(MaskFormula *formula,
                                             unsigned limit) {
  firstOp = emitter.getNumOps();
  ranges.clear();
  SmallVector<MaskRange> result = computeRanges(formula, limit);
  if (result.empty())
    result.push_back({0, 0});
  return result;
}

SmallVector<MaskRange> MaskSolver::computeRanges(MaskFormula *formula,
                                                 unsigned limit) {
  auto known = ranges.find(formula);
  if (known != ranges.end())
    return known->second;
  SmallVector<MaskRange> result;
  std::optional<Terms> terms = normalize(formula);
  if (terms) {
    for (const Term &term : *terms)
      result.push_back(getRange(term));
  } else if (emitter.getNumOps() > maxOps) {
    result.push_back(getWhole());
  } else if (formula->kind == MaskFormula::Kind::Or) {
    for (MaskFormula *child : formula->children)
      result.append(computeRanges(child, limit));
  } else {
    result.push_back(getWhole());
    for (MaskFormula *part : group(formula)) {
      SmallVector<MaskRange> others = computeRanges(part, limit), product;
      for (const MaskRange &a : result)
        for (const MaskRange &b : others)
          product.push_back({emitter.maximum(a.begin, b.begin),
                             emitter.minimum(a.end, b.end)});
      result = reduce(std::move(product), limit);
    }
  }
  return ranges[formula] = reduce(std::move(result), limit);
}

SmallVector<MaskRange> MaskSolver::reduce(SmallVector<MaskRange> ranges,
                                          unsigned limit) {
  auto isKnown = [&](Scalar lhs, Scalar rhs) {
    return emitter.decideLessEqual(lhs, rhs) == true;
  };
  llvm::erase_if(ranges, [&](const MaskRange &range) {
    return isKnown(range.end, range.begin);
  });
  // Without loss: one range holds the other, or they have an end in common.
  for (size_t i = 0; i < ranges.size(); ++i)
    for (size_t j = 0; j < ranges.size();) {
      MaskRange &a = ranges[i], &b = ranges[j];
      bool isWithin = isKnown(a.begin, b.begin) && isKnown(b.end, a.end);
      if (i == j || (!isWithin && a.begin != b.begin && a.end != b.end)) {
        ++j;
        continue;
      }
      if (!isWithin)
        a = {emitter.minimum(a.begin, b.begin), emitter.maximum(a.end, b.end)};
      ranges.erase(ranges.begin() + j);
      i -= j < i;
      j = 0;
    }
  // With loss: the hull of two ranges, of which one may be empty.
  while (ranges.size() > limit) {
    MaskRange b = ranges.pop_back_val();
    MaskRange &a = ranges.back();
    Scalar whole = getWhole().end;
    auto normalize = [&](MaskRange range) -> MaskRange {
      Scalar isEmpty = emitter.isLessEqual(range.end, range.begin);
      return {emitter.select(isEmpty, whole, range.begin),
              emitter.select(isEmpty, 0, range.end)};
    };
    a = normalize(a);
    b = normalize(b);
    a = {emitter.minimum(a.begin, b.begin), emitter.maximum(a.end, b.end)};
  }
  return ranges;
}

} // namespace attn
