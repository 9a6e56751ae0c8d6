#include "test.h"

#include "sm_uri.h"

static sm_buf buf;

static sm_str taken (void) {
  sm_str s = sm_buf_str(&buf);
  sm_buf_reset(&buf);
  return s;
}

static void dots (void) {
  static const char *const rows[][2] = {{"", ""},
                                        {"/", "/"},
                                        {"//", "/"},
                                        {".", ""},
                                        {"..", ""},
                                        {"/.", "/"},
                                        {"/..", "/"},
                                        {"/../", "/"},
                                        {"../foo", "foo"},
                                        {"./foo", "foo"},
                                        {"foo/..", ""},
                                        {"foo/../", ""},
                                        {"foo/../bar/", "bar/"},
                                        {"//foo//", "/foo/"},
                                        {"/..foo", "/..foo"},
                                        {"/...", "/..."},
                                        {"/a/b/c/./../../g", "/a/g"},
                                        {"mid/content=5/../6", "mid/6"},
                                        {"/a/b/.", "/a/b"},
                                        {"/a/b/..", "/a"},
                                        {"/a/./b/../c/", "/a/c/"},
                                        {"/a/../../../b", "/b"},
                                        {"/%2e%2e/a", "/%2e%2e/a"}};
  size_t i;
  test_name("dot segments");
  for (i = 0; i < sizeof rows / sizeof *rows; i++) {
    sm_buf_puts(&buf, SM_LIT("before/"));
    sm_uri_remove_dots(&buf, test_str(rows[i][0]));
    CHECK(buf.len >= 7 && memcmp(buf.p, "before/", 7) == 0);
    CHECK_TEXT(((sm_str){buf.p + 7, buf.len - 7}), rows[i][1]);
    sm_buf_reset(&buf);
  }
}

static void canonical_path (void) {
  enum {
    ONCE = 0,
    BARE = SM_URI_DOUBLE_ENCODE,
    DOTS = SM_URI_NORMALIZE
  };
  static const struct {
    const char *path, *want;
    int flags;
  } rows[] = {{"", "/", BARE | DOTS},
              {"", "/", ONCE},
              {"/", "/", BARE | DOTS},
              {"/./", "/", BARE | DOTS},
              {"/./", "/./", BARE},
              {"//a//", "//a//", ONCE},
              {"//a//", "/a/", DOTS},
              {"/\xE1\x88\xB4", "/%E1%88%B4", BARE | DOTS},
              {"/\xE1\x88\xB4", "/%E1%88%B4", ONCE},
              {"/arn%3Aaws/x", "/arn%253Aaws/x", BARE | DOTS},
              {"/arn%3Aaws/x", "/arn%3Aaws/x", ONCE},
              {"/a b/$x~", "/a%20b/%24x~", BARE | DOTS},
              {"/50%/%4", "/50%25/%254", ONCE},
              {"/%2F%7e", "/%2F%7e", ONCE | DOTS},
              {"/a%2Fb/../c", "/c", BARE | DOTS},
              {"/a/..", "/", BARE | DOTS}};
  size_t i;
  test_name("canonical paths");
  for (i = 0; i < sizeof rows / sizeof *rows; i++) {
    sm_uri_canonical_path(&buf, test_str(rows[i].path), rows[i].flags);
    CHECK_TEXT(taken(), rows[i].want);
  }
}

static void canonical_query (void) {
  static const char *const rows[][2] = {
      {"", ""},
      {"a", "a="},
      {"a=", "a="},
      {"=a", "=a"},
      {"&&a=1&", "a=1"},
      {"b=2&a=1", "a=1&b=2"},
      {"a=2&a=1&a=", "a=&a=1&a=2"},
      {"Param-3=Value3&Param=Value2&%E1%88%B4=Value1",
       "%E1%88%B4=Value1&Param=Value2&Param-3=Value3"},
      {"a=b=c", "a=b%3Dc"},
      {"a=b+c%20d", "a=b%2Bc%20d"},
      {"a=%7e%2f", "a=~%2F"},
      {"a=100%&b=%zz", "a=100%25&b=%25zz"},
      {"A=1&a=2&B=3", "A=1&B=3&a=2"},
      {"k=\xC3\xA4", "k=%C3%A4"}};
  size_t i;
  test_name("canonical queries");
  for (i = 0; i < sizeof rows / sizeof *rows; i++) {
    CHECK(sm_uri_canonical_query(&buf, test_str(rows[i][0])) == SM_OK);
    CHECK_TEXT(taken(), rows[i][1]);
  }
}

static void sorts (void) {
  sm_buf in;
  unsigned state = 1;
  int i;
  test_name("many pairs are sorted");
  sm_buf_init(&in, 1 << 20, sm_libc_alloc, NULL);
  for (i = 0; i < 5000; i++) {
    char pair[32];
    state = state * 1103515245u + 12345;
    snprintf(pair, sizeof pair, "%05u=%d&", (state >> 16) % 3000, i % 3);
    sm_buf_puts(&in, test_str(pair));
  }
  CHECK(sm_uri_canonical_query(&buf, sm_buf_str(&in)) == SM_OK);
  CHECK(buf.len == in.len - 1);
  for (i = 1; i < 5000; i++) {
    if (memcmp(buf.p + (i - 1) * 8, buf.p + i * 8, 7) > 0)
      break;
  }
  CHECK(i == 5000);
  sm_buf_reset(&buf);
  sm_buf_free(&in);
}

static void url (void) {
  sm_url u;
  test_name("URLs");
  CHECK(sm_url_split(SM_LIT("https://h.example.com/a/b?c=d&e#f"), &u) == SM_OK);
  CHECK_TEXT(u.scheme, "https");
  CHECK_TEXT(u.authority, "h.example.com");
  CHECK_TEXT(u.host, "h.example.com");
  CHECK_TEXT(u.path, "/a/b");
  CHECK_TEXT(u.query, "c=d&e");
  CHECK(u.port == 443 && !u.has_port && u.secure && !u.ipv6);
  CHECK(sm_url_split(SM_LIT("HTTP://LocalHost:8080"), &u) == SM_OK);
  CHECK_TEXT(u.authority, "LocalHost:8080");
  CHECK_TEXT(u.host, "LocalHost");
  CHECK_TEXT(u.path, "");
  CHECK(u.query.p == NULL && u.port == 8080 && u.has_port && !u.secure);
  CHECK(sm_url_split(SM_LIT("http://[fd00:ec2::254]:80/?"), &u) == SM_OK);
  CHECK_TEXT(u.host, "[fd00:ec2::254]");
  CHECK_TEXT(u.authority, "[fd00:ec2::254]:80");
  CHECK(u.ipv6 && u.query.p != NULL && u.query.len == 0);
  CHECK(sm_url_split(SM_LIT("http://h?q=/"), &u) == SM_OK);
  CHECK_TEXT(u.query, "q=/");
  CHECK(sm_url_split(SM_LIT("http://h#f"), &u) == SM_OK);
  CHECK_TEXT(u.authority, "h");
}

static void url_bad (void) {
  static const char *const bad[] = {"",
                                    "x",
                                    "http",
                                    "http:",
                                    "http:/h",
                                    "http://",
                                    "http:///path",
                                    "://h",
                                    "1http://h",
                                    "//h/",
                                    "h.example.com",
                                    "not.a:valid:dom@in",
                                    "https://my invalid name/",
                                    "https://foo.bar.com\nbar/",
                                    "https://h/a b",
                                    "https://h/\x7f",
                                    "https://user@h/",
                                    "https://user:pass@h/",
                                    "https://user:80@h/",
                                    "https://-h/",
                                    "https://h-/",
                                    "https://a..b/",
                                    "https://.h/",
                                    "https://h:/",
                                    "https://h:x/",
                                    "https://h:-1/",
                                    "https://h\\x/",
                                    "https://h\xC3\xA4/",
                                    "http://fd00:ec2::010/",
                                    "http://[fd00:ec2::010/",
                                    "http://[fd00]/",
                                    "http://[::1]x/",
                                    "http://[]/"};
  sm_url u;
  size_t i;
  test_name("bad URLs");
  for (i = 0; i < sizeof bad / sizeof *bad; i++) {
    if (!CHECK(sm_url_split(test_str(bad[i]), &u) == SM_ESYNTAX))
      printf("  %s\n", bad[i]);
  }
  CHECK(sm_url_split(SM_LIT("http://h:65536"), &u) == SM_ERANGE);
  CHECK(sm_url_split(SM_LIT("http://h:0"), &u) == SM_ERANGE);
  CHECK(sm_url_split(SM_LIT("http://h\0.x/"), &u) == SM_ESYNTAX);
}

static void hosts (void) {
  char name[300];
  test_name("host names");
  CHECK(sm_host_valid(SM_LIT("a")) && sm_host_valid(SM_LIT("a.b.")));
  CHECK(sm_host_valid(SM_LIT("sage_maker.10-x.local")));
  CHECK(sm_host_valid(SM_LIT("127.0.0.1")));
  CHECK(!sm_host_valid(SM_LIT(".")) && !sm_host_valid(SM_LIT("")));
  memset(name, 'a', sizeof name);
  CHECK(sm_host_valid((sm_str){name, 63}));
  CHECK(!sm_host_valid((sm_str){name, 64}));
  name[63] = name[127] = name[191] = '.';
  CHECK(sm_host_valid((sm_str){name, 255}));
  name[255] = '.';
  CHECK(!sm_host_valid((sm_str){name, 256}));
}

static void ipv6 (void) {
  static const char *const good[] = {"::",
                                     "::1",
                                     "1::",
                                     "1:2:3:4:5:6:7:8",
                                     "1:2:3:4:5:6:7::",
                                     "::2:3:4:5:6:7:8",
                                     "fd00:ec2::254",
                                     "::ffff:127.0.0.1",
                                     "1:2:3:4:5:6:1.2.3.4",
                                     "fe80::1%25eth0",
                                     "fe80::1%eth0",
                                     "ABCD::ef01"};
  static const char *const bad[] = {"",
                                    ":",
                                    ":::",
                                    "1",
                                    "1:2:3:4:5:6:7",
                                    "1:2:3:4:5:6:7:8:9",
                                    "1:2:3:4:5:6:7:8::",
                                    "1::2::3",
                                    "::1:",
                                    ":1::",
                                    "12345::",
                                    "g::",
                                    "::1.2.3",
                                    "::1.2.3.256",
                                    "::1.2.3.4.5",
                                    "1:2:3:4:5:6:7:1.2.3.4",
                                    "1.2.3.4",
                                    "::1%",
                                    "::1%25",
                                    "::1%a/b",
                                    "[::1]"};
  size_t i;
  test_name("IPv6 addresses");
  for (i = 0; i < sizeof good / sizeof *good; i++) {
    if (!CHECK(sm_ipv6_valid(test_str(good[i]))))
      printf("  %s\n", good[i]);
  }
  for (i = 0; i < sizeof bad / sizeof *bad; i++) {
    if (!CHECK(!sm_ipv6_valid(test_str(bad[i]))))
      printf("  %s\n", bad[i]);
  }
}

static void edges (void) {
  static const char text[] =
      "https://[1:2::1.2.3.4%25e]:8080/a/../b%2F/./c?x=%4a&b=%zz&%";
  test_edge edge = test_edge_make(200);
  size_t from, to;
  test_name("every part of a URL up to the edge");
  for (from = 0; from < sizeof text; from++) {
    for (to = from; to < sizeof text; to++) {
      sm_str s = test_edge_copy(&edge, (sm_str){text + from, to - from});
      sm_url u;
      sm_url_split(s, &u);
      sm_ipv6_valid(s);
      sm_host_valid(s);
      sm_uri_remove_dots(&buf, s);
      sm_uri_canonical_path(&buf, s, 0);
      sm_uri_canonical_path(&buf, s, SM_URI_NORMALIZE | SM_URI_DOUBLE_ENCODE);
      sm_uri_canonical_query(&buf, s);
      CHECK(buf.err == SM_OK);
      sm_buf_reset(&buf);
    }
  }
  test_edge_free(&edge);
}

static void limits (void) {
  sm_buf b;
  test_name("limits");
  sm_buf_init(&b, 6, sm_libc_alloc, NULL);
  CHECK(sm_uri_canonical_query(&b, SM_LIT("a=1&b=2")) == SM_ELIMIT);
  sm_buf_reset(&b);
  CHECK(sm_uri_canonical_query(&b, SM_LIT("a=%20%20%20")) == SM_ELIMIT);
  sm_buf_reset(&b);
  sm_uri_canonical_path(&b, SM_LIT("/a/%/b"), SM_URI_NORMALIZE);
  CHECK(b.err == SM_ELIMIT);
  sm_buf_free(&b);
}

static int canonical (sm_alloc alloc, void *ud) {
  sm_buf b;
  int err;
  sm_buf_init(&b, 4096, alloc, ud);
  sm_uri_canonical_path(&b, SM_LIT("/a/../b%2F/c d"), SM_URI_NORMALIZE);
  err = sm_uri_canonical_query(&b, SM_LIT("z=1&y=2&x=%41&w=&v=a b&u&t=1&s=2"
                                          "&r=1&q=1&p=1&o=1&n=1&m=1&l=1"));
  CHECK(err == b.err);
  sm_buf_free(&b);
  return err;
}

int main (void) {
  sm_buf_init(&buf, 1 << 20, sm_libc_alloc, NULL);
  dots();
  canonical_path();
  canonical_query();
  sorts();
  url();
  url_bad();
  hosts();
  ipv6();
  edges();
  limits();
  test_name("allocation failure");
  test_allocations(canonical);
  sm_buf_free(&buf);
  return test_end();
}
