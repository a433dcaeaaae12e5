// SPDX-License-Identifier: Apache-2.0
#include <pipit/broker/configuration.hpp>

#include <gtest/gtest.h>

namespace {

using namespace pipit::broker;

class links : public testing::Test {
protected:
    links() {
        for (const char* name : {"A", "B", "C"}) {
            auto& made = accounts.emplace_back();
            made.id = static_cast<account_id>(accounts.size() - 1);
            made.name = name;
        }
    }
    account_configuration& operator[](char name) {
        return accounts[static_cast<std::size_t>(name - 'A')];
    }
    std::string import_stream(char importer, char exporter, std::string_view subject,
                              std::string_view local = {}, activation token = {}) {
        return add_import(
            accounts, (*this)[importer].id,
            stream_import{(*this)[exporter].id, *import_subjects::make(subject, local)}, token);
    }
    std::string import_service(char importer, char exporter, std::string_view subject,
                               std::string_view local = {}, activation token = {}) {
        return add_import(
            accounts, (*this)[importer].id,
            service_import{(*this)[exporter].id, *import_subjects::make(subject, local)}, token);
    }

    std::vector<account_configuration> accounts;
};

TEST_F(links, GoWhereAnExportAllowsThem) {
    (*this)['A'].stream_exports = {{"s.>", {}}, {"private.*", {.accounts = {(*this)['B'].id}}}};
    EXPECT_EQ(import_stream('B', 'A', "s.x.*"), "");
    EXPECT_EQ(import_stream('B', 'A', "private.*"), "");
    EXPECT_EQ(import_stream('C', 'A', "private.x"), "stream import not authorized");
    EXPECT_EQ(import_stream('C', 'A', "other"), "stream import not authorized");
    EXPECT_EQ(import_stream('C', 'A', ">"), "stream import not authorized");
    EXPECT_EQ((*this)['B'].stream_imports.size(), 2u);
    EXPECT_TRUE((*this)['C'].stream_imports.empty());
}

TEST_F(links, NeedAnActivationTokenWhereOneIsAskedFor) {
    (*this)['A'].service_exports = {{.subject = "r", .audience = {.activation_required = true}}};
    EXPECT_EQ(import_service('B', 'A', "r"), "service import not authorized");
    EXPECT_EQ(import_service('B', 'A', "r", "", activation::valid), "");
}

TEST_F(links, NameTheImporterAtTheTokenPosition) {
    (*this)['A'].service_exports = {
        {.subject = "r.*.>", .audience = {.account_token_position = 2}}};
    EXPECT_EQ(import_service('B', 'A', "r.C.>"), "service import not authorized");
    EXPECT_EQ(import_service('B', 'A', "r.*.>"), "service import not authorized");
    EXPECT_EQ(import_service('B', 'A', "r.B.>"), "");
}

TEST_F(links, NeverFormACycle) {
    for (const char name : {'A', 'B', 'C'}) {
        (*this)[name].service_exports = {{.subject = ">"}};
        (*this)[name].stream_exports = {{">", {}}};
    }
    EXPECT_EQ(import_service('B', 'A', "r"), "");
    EXPECT_EQ(import_service('C', 'B', "r"), "");
    EXPECT_EQ(import_service('A', 'C', "r"), "import forms a cycle");
    EXPECT_EQ(import_service('A', 'C', "other", "r"), "import forms a cycle");
    EXPECT_EQ(import_service('A', 'C', "other"), "");
    EXPECT_EQ(import_stream('B', 'A', "s.>"), "");
    EXPECT_EQ(import_stream('C', 'B', "s.*"), "");
    EXPECT_EQ(import_stream('A', 'C', "s.x"), "import forms a cycle");
}

TEST_F(links, AreMadeOnceEach) {
    (*this)['A'].service_exports = {{.subject = ">"}};
    EXPECT_EQ(import_service('B', 'A', "r", "ask"), "");
    EXPECT_EQ(import_service('B', 'A', "q", "ask"),
              "duplicate service import subject \"ask\", previously used in import for account "
              "\"A\", subject \"r\"");
}

TEST_F(links, FindTheServiceThatFitsBest) {
    (*this)['A'].service_exports = {{.subject = "r.*"}, {.subject = "r.x"}};
    EXPECT_EQ(service_of((*this)['A'], "r.x")->subject, "r.x");
    EXPECT_EQ(service_of((*this)['A'], "r.y")->subject, "r.*");
    EXPECT_EQ(service_of((*this)['A'], "q"), nullptr);
}

} // namespace
