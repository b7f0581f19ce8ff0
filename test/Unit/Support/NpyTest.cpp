//===- NpyTest.cpp - Arrays in files ----------------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Support/Npy.h"
#include "attn/Support/Output.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"
#include "gtest/gtest.h"

#include <fstream>

using namespace attn;
using namespace std::string_literals;

namespace {

/// A folder of its own for every test.
class NpyTest : public testing::Test {
protected:
  void SetUp() override {
    ASSERT_FALSE(llvm::sys::fs::createUniqueDirectory("attn-npy", folder));
  }
  void TearDown() override { llvm::sys::fs::remove_directories(folder); }

  std::string getPath(const std::string &name) {
    return (folder + "/" + name).str();
  }
  int countFiles() {
    std::error_code code;
    int count = 0;
    for (llvm::sys::fs::directory_iterator it(folder, code), end; it != end;
         it.increment(code))
      ++count;
    return count;
  }
  /// A file of version 1.0, or of another, with this dictionary and elements.
  std::string write(const std::string &dictionary, const std::string &elements,
                    char version = 1) {
    std::string bytes = "\x93NUMPY"s + version + '\0';
    bytes += char(dictionary.size());
    bytes += char(dictionary.size() >> 8);
    if (version > 1)
      bytes += "\0\0"s;
    return writeRaw(bytes + dictionary + elements);
  }
  std::string writeRaw(const std::string &bytes) {
    std::string path = getPath("x.npy");
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }
  /// The error of reading `path`, without its name.
  std::string readMessage(const std::string &path,
                          std::optional<ElementType> type = std::nullopt) {
    llvm::Expected<Array> array = readNpy(path, type);
    if (array)
      return "no error";
    std::string message = llvm::toString(array.takeError());
    EXPECT_EQ(message.find('\n'), std::string::npos);
    llvm::StringRef rest = message;
    EXPECT_TRUE(rest.consume_front("'" + path + "': ")) << message;
    return rest.str();
  }

  llvm::SmallString<128> folder;
};

const std::string f32x2 = "{'descr': '<f4', 'fortran_order': False, "
                          "'shape': (2,), }\n";
const std::string twoFloats = "\0\0\x80\x3f\0\0\0\x40"s;

TEST_F(NpyTest, RoundTripOfEveryType) {
  for (ElementType type :
       {ElementType::F16, ElementType::BF16, ElementType::F32, ElementType::F64,
        ElementType::I1, ElementType::I8, ElementType::I16, ElementType::I32,
        ElementType::I64, ElementType::Index})
    for (llvm::SmallVector<int64_t> shape :
         {llvm::SmallVector<int64_t>{}, {1}, {2, 3}, {3, 0, 2}}) {
      Array array = llvm::cantFail(Array::create(type, shape));
      for (int64_t i = 0; i < array.getNumElements(); ++i)
        array.set(i, i);
      std::string path = getPath("a.npy");
      ASSERT_FALSE(bool(writeNpy(path, array)));
      llvm::Expected<Array> back = readNpy(path, type);
      ASSERT_TRUE(bool(back)) << llvm::toString(back.takeError());
      EXPECT_EQ(back->toString(), array.toString());
      EXPECT_EQ(back->toDoubles(), array.toDoubles());
    }
}

/// Byte for byte what numpy.save writes.
TEST_F(NpyTest, WritesAsNumpyDoes) {
  Array array = llvm::cantFail(Array::create(ElementType::F32, {2}, {1, 2}));
  ASSERT_FALSE(bool(writeNpy(getPath("a.npy"), array)));
  auto buffer = llvm::MemoryBuffer::getFile(getPath("a.npy"));
  std::string dictionary =
      "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }";
  dictionary.resize(117, ' ');
  EXPECT_EQ((*buffer)->getBuffer().str(),
            "\x93NUMPY\1\0\x76\0"s + dictionary + "\n" + twoFloats);
}

TEST_F(NpyTest, Versions) {
  for (char version : {1, 2, 3}) {
    llvm::Expected<Array> array = readNpy(write(f32x2, twoFloats, version));
    ASSERT_TRUE(bool(array)) << llvm::toString(array.takeError());
    EXPECT_EQ(array->toDoubles(), (std::vector<double>{1, 2}));
  }
  EXPECT_EQ(readMessage(write(f32x2, twoFloats, 4)),
            "expected .npy version 1.0, 2.0 or 3.0, but got 4.0; write it with "
            "numpy.save");
}

TEST_F(NpyTest, BFloat16AsWords) {
  for (const char *descr : {"<V2", "|V2", "<u2"}) {
    std::string path = write("{'descr': '"s + descr +
                                 "', 'fortran_order': False, 'shape': (1,)}",
                             "\xc0\x3f");
    llvm::Expected<Array> array = readNpy(path, ElementType::BF16);
    ASSERT_TRUE(bool(array)) << llvm::toString(array.takeError());
    EXPECT_EQ(array->at(0), 1.5);
  }
  EXPECT_EQ(readMessage(getPath("x.npy"), ElementType::F16),
            "expected f16 (dtype '<f2'), but got dtype '<u2'; convert it with "
            "a.astype('float16')");
}

TEST_F(NpyTest, NoFile) {
  EXPECT_EQ(readMessage(getPath("none.npy")),
            "cannot be opened: No such file or directory");
  EXPECT_EQ(readMessage(folder.str().str()), "cannot be read: Is a directory");
}

TEST_F(NpyTest, NotNpy) {
  EXPECT_EQ(readMessage(writeRaw("")),
            "expected a .npy file, but the file is empty; write it with "
            "numpy.save");
  EXPECT_EQ(readMessage(writeRaw("1.0 2.0 3.0\n")),
            "expected a .npy file, but it does not start with '\\x93NUMPY'; "
            "write it with numpy.save");
  EXPECT_EQ(readMessage(writeRaw("PK\3\4 and so on")),
            "expected a .npy file, but got a zip archive (.npz); save each "
            "array with numpy.save");
}

TEST_F(NpyTest, Truncated) {
  EXPECT_EQ(readMessage(writeRaw("\x93NUMPY\1")),
            "expected a header of at least 10 bytes, but the file is truncated "
            "after 7; write it again");
  EXPECT_EQ(readMessage(writeRaw("\x93NUMPY\1\0\x76\0{'descr"s)),
            "expected a header of 118 bytes, but the file is truncated after 7 "
            "of them; write it again");
  EXPECT_EQ(readMessage(write(f32x2, twoFloats.substr(0, 5))),
            "expected 8 bytes of elements for 2xf32, but got 5; the file is "
            "truncated, write it again");
}

TEST_F(NpyTest, TrailingBytes) {
  EXPECT_EQ(readMessage(write(f32x2, twoFloats + "x")),
            "expected 8 bytes of elements for 2xf32, but got more; the file is "
            "damaged, write it again");
}

TEST_F(NpyTest, AnyPrefixIsAnErrorNotACrash) {
  std::string whole =
      "\x93NUMPY\1\0"s + char(f32x2.size()) + '\0' + f32x2 + twoFloats;
  for (size_t size = 0; size < whole.size(); ++size)
    EXPECT_NE(readMessage(writeRaw(whole.substr(0, size))), "no error");
  EXPECT_EQ(readMessage(writeRaw(whole)), "no error");
  // Any one byte of the header overwritten: right or an error, never a crash.
  for (size_t position = 0; position < whole.size(); ++position)
    for (char c : {'\0', '9', '(', '\'', '\xff'}) {
      std::string damaged = whole;
      damaged[position] = c;
      readMessage(writeRaw(damaged));
    }
}

TEST_F(NpyTest, WrongTypes) {
  auto read = [&](const std::string &descr, std::optional<ElementType> type) {
    return readMessage(write("{'descr': " + descr +
                                 ", 'fortran_order': False, 'shape': (2,), }",
                             twoFloats),
                       type);
  };
  EXPECT_EQ(read("'>f4'", ElementType::F32),
            "expected little-endian elements, but got '>f4'; convert it with "
            "a.astype(a.dtype.newbyteorder('<'))");
  EXPECT_EQ(read("'<f4'", ElementType::F64),
            "expected f64 (dtype '<f8'), but got dtype '<f4'; convert it with "
            "a.astype('float64')");
  EXPECT_EQ(read("'<c8'", std::nullopt),
            "expected dtype '<f2', '<V2' (bf16), '<f4', '<f8', '|b1', '|i1', "
            "'<i2', '<i4' or '<i8', but got dtype '<c8'");
  EXPECT_EQ(
      read("[('x', '<f4')]", std::nullopt),
      "expected one plain dtype, but got '[('x', '<f4')], 'fortran_order': "
      "False, ...'; save each field of a record on its own");
}

TEST_F(NpyTest, FortranOrder) {
  EXPECT_EQ(readMessage(write("{'descr': '<f4', 'fortran_order': True, "
                              "'shape': (1, 2), }",
                              twoFloats)),
            "expected C order, but got Fortran order; convert it with "
            "numpy.ascontiguousarray(a)");
}

TEST_F(NpyTest, BadShapes) {
  auto read = [&](const std::string &shape) {
    return readMessage(write("{'descr': '<f4', 'fortran_order': False, "
                             "'shape': " +
                                 shape + ", }",
                             twoFloats));
  };
  EXPECT_EQ(read("(-2,)"), "expected extents from 0 to 2^63 - 1 in the shape, "
                           "but got '-2,), }'");
  EXPECT_EQ(read("(99999999999999999999,)"),
            "expected extents from 0 to 2^63 - 1 in the shape, but got "
            "'99999999999999999999,), }'");
  EXPECT_EQ(read("(1099511627776, 1099511627776)"),
            "expected fewer than 2^63 elements, but got "
            "1099511627776x1099511627776");
  EXPECT_EQ(read("(1000000,)"),
            "expected 4000000 bytes of elements for 1000000xf32, but got 8; "
            "the file is truncated, write it again");
  EXPECT_EQ(read("2"), "expected the shape to be a tuple, but got '2, }'");
  EXPECT_EQ(read("(2 3)"), "expected ',' or ')' in the shape, but got '3), }'");
}

TEST_F(NpyTest, BadHeaders) {
  EXPECT_EQ(readMessage(write("{'descr': '<f4', 'shape': (2,), }", twoFloats)),
            "expected 'fortran_order' in the header, but it is missing");
  EXPECT_EQ(readMessage(write("{'descr': '<f4', 'descr': '<f4'}", twoFloats)),
            "expected descr, fortran_order and shape once each in the header, "
            "but got 'descr'");
  EXPECT_EQ(readMessage(write("descr", twoFloats)),
            "expected a header that starts with '{', but got 'descr'");
  EXPECT_EQ(readMessage(write("{'fortran_order': 1}", twoFloats)),
            "expected fortran_order to be True or False, but got '1}'");
}

TEST_F(NpyTest, BooleansAreZeroOrOne) {
  EXPECT_EQ(readMessage(write("{'descr': '|b1', 'fortran_order': False, "
                              "'shape': (2,), }",
                              "\1\7")),
            "expected booleans to be 0 or 1, but got 7 at [1]; convert it with "
            "a != 0");
}

TEST_F(NpyTest, UnwritableLeavesNothing) {
  Array array = llvm::cantFail(Array::create(ElementType::F32, {2}, {1, 2}));
  std::string good = getPath("a.npy"), bad = getPath("none/b.npy");
  EXPECT_EQ(llvm::toString(writeNpyFiles({{good, &array}, {bad, &array}})),
            "'" + bad +
                "': cannot be written: No such file or directory; name a file "
                "in a folder that exists and can be written to");
  EXPECT_EQ(countFiles(), 0);
  EXPECT_EQ(llvm::toString(writeNpy(folder, array)),
            "'" + folder.str().str() +
                "': cannot be written: it is a directory; name a file in it");
  EXPECT_TRUE(bool(checkWritable({good, bad})) && countFiles() == 0);
  EXPECT_FALSE(bool(checkWritable(good)));
  EXPECT_EQ(countFiles(), 0);
}

/// However a file is spelt, it is one.
TEST_F(NpyTest, TwoOutputsAreTwoFiles) {
  std::string path = getPath("a.npy"), other = getPath("./a.npy"),
              link = getPath("link.npy");
  EXPECT_EQ(llvm::toString(checkWritable({path, other})),
            "expected each output to be another file, but '" + path +
                "' and '" + other + "' are one; write them to two");
  ASSERT_FALSE(llvm::sys::fs::create_link("a.npy", link));
  EXPECT_TRUE(bool(checkWritable({link, path})));
  EXPECT_FALSE(bool(checkWritable({link, getPath("b.npy")})));
}

/// What a link points to is written, also where nothing is yet.
TEST_F(NpyTest, LinksAreFollowed) {
  Array array = llvm::cantFail(Array::create(ElementType::F32, {2}, {1, 2}));
  std::string path = getPath("a.npy"), link = getPath("link.npy");
  ASSERT_FALSE(llvm::sys::fs::create_link("a.npy", link));
  for (int time = 0; time < 2; ++time) {
    ASSERT_FALSE(bool(writeNpy(link, array)));
    EXPECT_TRUE(llvm::sys::fs::is_symlink_file(link));
    EXPECT_TRUE(llvm::sys::fs::is_regular_file(path));
  }
  EXPECT_EQ(countFiles(), 2);
}

/// A full device is an error, and a device is not replaced by a file.
TEST_F(NpyTest, FullDevice) {
  if (!llvm::sys::fs::exists("/dev/full"))
    GTEST_SKIP();
  Array array = llvm::cantFail(Array::create(ElementType::F32, {2}, {1, 2}));
  EXPECT_EQ(llvm::toString(writeNpy("/dev/full", array)),
            "'/dev/full': cannot be written: No space left on device");
  EXPECT_EQ(llvm::toString(writeNpyFiles(
                {{getPath("a.npy"), &array}, {"/dev/full", &array}})),
            "'/dev/full': cannot be written: No space left on device");
  EXPECT_EQ(countFiles(), 0);
}

TEST_F(NpyTest, OverwritesOnlyWhenComplete) {
  Array array = llvm::cantFail(Array::create(ElementType::F32, {2}, {1, 2}));
  std::string path = getPath("a.npy");
  std::ofstream(path) << "what was there";
  ASSERT_FALSE(bool(writeNpy(path, array)));
  EXPECT_EQ(llvm::cantFail(readNpy(path)).toDoubles(),
            (std::vector<double>{1, 2}));
  EXPECT_EQ(countFiles(), 1);
}

} // namespace
