#include "sm_xml.h"
#include "sm_text.h"

static int fail (sm_xml *r, int err, const char *what) {
  if (r->err == SM_OK) {
    r->err = err;
    r->what = what;
    r->at = (size_t)(r->p - r->begin);
  }
  return r->err;
}

static int is_blank (char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static int is_name (char c) {
  return sm_isalnum(c) || c == '_' || c == '-' || c == '.' || c == ':' ||
         (c & 0x80) != 0;
}

static void skip_blanks (sm_xml *r) {
  while (r->p < r->end && is_blank(*r->p))
    r->p++;
}

static int starts_with (const sm_xml *r, sm_str s) {
  return (size_t)(r->end - r->p) >= s.len && memcmp(r->p, s.p, s.len) == 0;
}

/* Moves past the first `close` from here on. */
static int skip_past (sm_xml *r, sm_str close, const char *what) {
  for (; (size_t)(r->end - r->p) >= close.len; r->p++)
    if (memcmp(r->p, close.p, close.len) == 0) {
      r->p += close.len;
      return SM_OK;
    }
  return fail(r, SM_ESYNTAX, what);
}

void sm_xml_init (sm_xml *r, sm_str text) {
  size_t good = sm_utf8_check(text);
  memset(r, 0, sizeof *r);
  r->begin = r->p = text.p;
  r->end = text.p + text.len;
  if (good < text.len) {
    r->p += good;
    fail(r, SM_EUTF8, "invalid UTF-8");
  } else if (starts_with(r, SM_LIT("\xEF\xBB\xBF"))) {
    r->p += 3;
  }
}

static int read_name (sm_xml *r, sm_str *name) {
  name->p = r->p;
  while (r->p < r->end && is_name(*r->p))
    r->p++;
  name->len = (size_t)(r->p - name->p);
  if (name->len == 0)
    return fail(r, SM_ESYNTAX, "a name is expected");
  return SM_OK;
}

/* The name without its namespace prefix. */
static sm_str local_name (sm_str name) {
  size_t i;
  for (i = name.len; i > 0; i--)
    if (name.p[i - 1] == ':')
      return (sm_str){name.p + i, name.len - i};
  return name;
}

static int skip_attribute (sm_xml *r) {
  sm_str name;
  char quote;
  if (read_name(r, &name) != SM_OK)
    return r->err;
  skip_blanks(r);
  if (r->p == r->end || *r->p != '=')
    return fail(r, SM_ESYNTAX, "an attribute needs a value");
  r->p++;
  skip_blanks(r);
  if (r->p == r->end || (*r->p != '"' && *r->p != '\''))
    return fail(r, SM_ESYNTAX, "an attribute's value needs quotes");
  quote = *r->p++;
  while (r->p < r->end && *r->p != quote && *r->p != '<')
    r->p++;
  if (r->p == r->end || *r->p != quote)
    return fail(r, SM_ESYNTAX, "an attribute's value does not end");
  r->p++;
  return SM_OK;
}

/* After "<": the rest of a start tag. */
static int start_tag (sm_xml *r, sm_str *s) {
  sm_str name;
  if (r->depth == 0 && r->rooted)
    return fail(r, SM_ESYNTAX, "a second root element");
  if (read_name(r, &name) != SM_OK)
    return r->err;
  for (;;) {
    skip_blanks(r);
    if (r->p == r->end)
      return fail(r, SM_ESYNTAX, "a tag does not end");
    if (*r->p == '>' || *r->p == '/')
      break;
    if (skip_attribute(r) != SM_OK)
      return r->err;
  }
  if (*r->p == '/') {
    r->closing = 1;
    r->p++;
    if (r->p == r->end || *r->p != '>')
      return fail(r, SM_ESYNTAX, "a tag does not end");
  }
  r->p++;
  if (r->depth == SM_XML_MAX_DEPTH)
    return fail(r, SM_ELIMIT, "nested too deeply");
  r->open[r->depth++] = name;
  r->rooted = 1;
  *s = local_name(name);
  return SM_X_START;
}

/* After "</": the rest of an end tag. */
static int end_tag (sm_xml *r, sm_str *s) {
  sm_str name;
  const sm_str *open;
  if (read_name(r, &name) != SM_OK)
    return r->err;
  skip_blanks(r);
  if (r->p == r->end || *r->p != '>')
    return fail(r, SM_ESYNTAX, "a tag does not end");
  r->p++;
  open = r->depth > 0 ? &r->open[r->depth - 1] : NULL;
  if (open == NULL || open->len != name.len ||
      memcmp(open->p, name.p, name.len) != 0)
    return fail(r, SM_ESYNTAX, "an end tag without its start tag");
  r->depth--;
  *s = local_name(name);
  return SM_X_END;
}

static int is_char (uint32_t c) {
  return c == 9 || c == 10 || c == 13 || (c >= 32 && c < 0xD800) ||
         (c >= 0xE000 && c < 0xFFFE) || (c >= 0x10000 && c < 0x110000);
}

/* "#10" or "#x1F600" as UTF-8. */
static int character_reference (sm_xml *r, sm_str digits, sm_buf *out) {
  int base = 10;
  uint32_t c = 0;
  size_t i = 1;
  char utf8[4];
  if (digits.len > 1 && digits.p[1] == 'x') {
    base = 16;
    i = 2;
  }
  if (i == digits.len)
    return fail(r, SM_ESYNTAX, "an empty character reference");
  for (; i < digits.len; i++) {
    int v = sm_hexval(digits.p[i]);
    if (v < 0 || v >= base || c > 0x110000)
      return fail(r, SM_ESYNTAX, "a malformed character reference");
    c = c * (uint32_t)base + (uint32_t)v;
  }
  if (!is_char(c))
    return fail(r, SM_ESYNTAX, "a reference to no character");
  sm_buf_put(out, utf8, (size_t)sm_utf8_encode(utf8, c));
  return SM_OK;
}

/* At "&": appends what the reference means. */
static int reference (sm_xml *r, sm_buf *out) {
  static const struct {
    const char *name;
    char c;
  } entities[] = {
      {"lt", '<'}, {"gt", '>'}, {"amp", '&'}, {"quot", '"'}, {"apos", '\''}};
  const char *first = r->p + 1, *last = first;
  sm_str name;
  size_t i;
  while (last < r->end && last - first < 12 && *last != ';')
    last++;
  if (last == r->end || *last != ';')
    return fail(r, SM_ESYNTAX, "an & that starts no reference");
  name = (sm_str){first, (size_t)(last - first)};
  if (name.len > 0 && name.p[0] == '#') {
    if (character_reference(r, name, out) != SM_OK)
      return r->err;
    r->p = last + 1;
    return SM_OK;
  }
  for (i = 0; i < sizeof entities / sizeof *entities; i++)
    if (strlen(entities[i].name) == name.len &&
        memcmp(entities[i].name, name.p, name.len) == 0) {
      sm_buf_putc(out, entities[i].c);
      r->p = last + 1;
      return SM_OK;
    }
  return fail(r, SM_ESYNTAX, "an unknown entity");
}

/* At "<![CDATA[": appends what is inside. */
static int cdata (sm_xml *r, sm_buf *out) {
  const char *first = r->p += 9;
  if (skip_past(r, SM_LIT("]]>"), "a CDATA section does not end") != SM_OK)
    return r->err;
  sm_buf_put(out, first, (size_t)(r->p - first) - 3);
  return SM_OK;
}

/* Comments and processing instructions; 1 when there was one. */
static int skip_misc (sm_xml *r) {
  if (starts_with(r, SM_LIT("<!--"))) {
    r->p += 4;
    return skip_past(r, SM_LIT("-->"), "a comment does not end") ? r->err : 1;
  }
  if (starts_with(r, SM_LIT("<?"))) {
    r->p += 2;
    return skip_past(r, SM_LIT("?>"), "an instruction does not end") ? r->err
                                                                     : 1;
  }
  return 0;
}

/* Text up to the next tag, with everything in it that needs work. */
static int assemble (sm_xml *r, sm_buf *out) {
  while (r->p < r->end) {
    int misc;
    const char *first = r->p;
    while (r->p < r->end && *r->p != '<' && *r->p != '&')
      r->p++;
    sm_buf_put(out, first, (size_t)(r->p - first));
    if (r->p == r->end)
      break;
    if (*r->p == '&') {
      if (reference(r, out) != SM_OK)
        return r->err;
      continue;
    }
    if (starts_with(r, SM_LIT("<![CDATA["))) {
      if (cdata(r, out) != SM_OK)
        return r->err;
      continue;
    }
    misc = skip_misc(r);
    if (misc < 0)
      return misc;
    if (misc == 0)
      break;
  }
  return out->err == SM_OK ? SM_OK : fail(r, out->err, "text too long");
}

/* True when the tag that comes next ends or starts an element, so that what
** was read stands alone between two tags. */
static int at_tag (const sm_xml *r) {
  return r->p < r->end && *r->p == '<' && !starts_with(r, SM_LIT("<!")) &&
         !starts_with(r, SM_LIT("<?"));
}

/* What stands here between two tags. */
static int read_text (sm_xml *r, sm_str *s, sm_buf *scratch) {
  const char *first = r->p;
  while (r->p < r->end && *r->p != '<' && *r->p != '&')
    r->p++;
  if (at_tag(r)) {
    *s = (sm_str){first, (size_t)(r->p - first)};
    return SM_OK;
  }
  r->p = first;
  sm_buf_reset(scratch);
  if (assemble(r, scratch) != SM_OK)
    return r->err;
  *s = sm_buf_str(scratch);
  return SM_OK;
}

static int all_blank (sm_str s) {
  size_t i;
  for (i = 0; i < s.len; i++)
    if (!is_blank(s.p[i]))
      return 0;
  return 1;
}

/* Outside the root element only blanks, comments and instructions stand. */
static int read_outside (sm_xml *r) {
  int misc = 1;
  while (misc == 1) {
    skip_blanks(r);
    misc = skip_misc(r);
  }
  if (misc < 0)
    return misc;
  if (r->p < r->end && (*r->p != '<' || starts_with(r, SM_LIT("<!"))))
    return fail(r, SM_ESYNTAX, "an element is expected");
  if (r->p == r->end && !r->rooted)
    return fail(r, SM_ESYNTAX, "no element");
  return SM_OK;
}

/* Inside an element: SM_X_TEXT when text stands here that is worth telling, 0
** when a tag comes next. */
static int read_inside (sm_xml *r, sm_str *s, sm_buf *scratch) {
  int only = r->fresh;
  r->fresh = 0;
  if (read_text(r, s, scratch) != SM_OK)
    return r->err;
  if (r->p == r->end)
    return fail(r, SM_ESYNTAX, "an element does not end");
  if (s->len > 0 && (!all_blank(*s) || (only && starts_with(r, SM_LIT("</")))))
    return SM_X_TEXT;
  return 0;
}

int sm_xml_next (sm_xml *r, sm_str *s, sm_buf *scratch) {
  if (r->err != SM_OK)
    return r->err;
  if (r->closing) {
    r->closing = r->fresh = 0;
    *s = local_name(r->open[--r->depth]);
    return SM_X_END;
  }
  if (r->depth > 0) {
    int kind = read_inside(r, s, scratch);
    if (kind != 0)
      return kind;
  } else if (read_outside(r) != SM_OK) {
    return r->err;
  } else if (r->p == r->end) {
    return SM_X_EOF;
  }
  if (starts_with(r, SM_LIT("<!")))
    return fail(r, SM_ESYNTAX, "a declaration is refused");
  r->p++;
  if (r->p < r->end && *r->p == '/') {
    r->p++;
    return end_tag(r, s);
  }
  r->fresh = 1;
  return start_tag(r, s);
}

int sm_xml_text (sm_xml *r, sm_str *s, sm_buf *scratch) {
  sm_str piece;
  int kind = sm_xml_next(r, s, scratch);
  if (kind == SM_X_END)
    *s = (sm_str){"", 0};
  if (kind == SM_X_TEXT)
    kind = sm_xml_next(r, &piece, scratch);
  if (kind == SM_X_START)
    return fail(r, SM_ESYNTAX, "text is expected, not an element");
  return kind < 0 ? kind : SM_OK;
}

int sm_xml_skip (sm_xml *r, sm_buf *scratch) {
  sm_str s;
  unsigned depth = r->depth - 1;
  while (r->err == SM_OK && r->depth > depth)
    if (sm_xml_next(r, &s, scratch) == SM_X_EOF)
      break;
  return r->err;
}
