#include <algorithm>
#include <map>
#include <set>
#include <sstream>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include "config/document/node.hpp"

namespace slipway::config {
namespace {

/// Thrown through yaml-cpp's parser to stop it; never leaves this file.
struct Stop {};

/// yaml-cpp counts bytes from 0; people count characters from 1.
class Marks {
 public:
  Marks(std::string_view text, int file) : text_(text), file_(file) {
    starts_.push_back(0);
    for (std::size_t at = 0; at < text.size(); ++at)
      if (text[at] == '\n') starts_.push_back(at + 1);
  }
  [[nodiscard]] Place place(const YAML::Mark& mark) const {
    if (mark.line < 0) return {file_, 1, 1};
    const auto line = std::min(static_cast<std::size_t>(mark.line), starts_.size() - 1);
    const std::size_t end = std::min(starts_[line] + static_cast<std::size_t>(mark.column), text_.size());
    // Marks mostly move forward: counting on from the last one keeps a long line linear.
    if (end < counted_to_ || starts_[line] > counted_to_ || line != counted_line_) {
      counted_line_ = line;
      counted_to_ = starts_[line];
      characters_ = 0;
    }
    for (; counted_to_ < end; ++counted_to_)
      if ((static_cast<unsigned char>(text_[counted_to_]) & 0xC0U) != 0x80U) ++characters_;
    return {file_, mark.line + 1, characters_ + 1};
  }
  /// False when the text at the mark begins a quoted scalar that never ends. yaml-cpp takes the rest of the file then.
  [[nodiscard]] bool is_closed(const YAML::Mark& mark) const {
    if (mark.line < 0 || static_cast<std::size_t>(mark.line) >= starts_.size()) return true;
    std::size_t at = starts_[static_cast<std::size_t>(mark.line)] + static_cast<std::size_t>(mark.column);
    const auto skip = [&](std::string_view set, bool inside) {
      while (at < text_.size() && (set.find(text_[at]) != std::string_view::npos) == inside) ++at;
    };
    while (at < text_.size() && (text_[at] == '&' || text_[at] == '!')) {  // the mark is that of an anchor or a tag
      skip(" \t\r\n", false);
      skip(" \t\r\n", true);
    }
    const char quote = at < text_.size() ? text_[at] : '\0';
    if (quote != '"' && quote != '\'') return true;
    for (++at; at < text_.size(); ++at) {
      if (text_[at] == '\\' && quote == '"') {
        ++at;
      } else if (text_[at] == quote) {
        if (quote == '"' || at + 1 >= text_.size() || text_[at + 1] != quote) return true;
        ++at;
      }
    }
    return false;
  }
  /// The first line up to `last` that is indented with a tab; 0 when there is none.
  [[nodiscard]] Place tab_indentation(int last) const {
    for (std::size_t line = 0; line < starts_.size() && static_cast<int>(line) < last; ++line) {
      const std::string_view rest = text_.substr(starts_[line]);
      const std::size_t first = rest.find_first_not_of(' ');
      if (first != std::string_view::npos && rest[first] == '\t')
        return {file_, static_cast<int>(line) + 1, static_cast<int>(first) + 1};
    }
    return {};
  }

 private:
  std::string_view text_;
  int file_;
  std::vector<std::size_t> starts_;
  mutable std::size_t counted_line_ = 0;
  mutable std::size_t counted_to_ = 0;
  mutable int characters_ = 0;
};

/// Turns the parser's events into a Node. Keeps what is complete when the parser stops in the middle.
class Builder final : public YAML::EventHandler {
 public:
  Builder(const Marks& marks, Problems& problems) : marks_(marks), problems_(problems) {}

  void OnDocumentStart(const YAML::Mark& /*mark*/) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Node node;
    node.place = marks_.place(mark);
    finish(std::move(node), anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto known = anchors_.find(anchor);
    if (known == anchors_.end()) stop(mark, "this alias refers to the value it is part of");
    spend(mark, known->second.weight);
    finish(known->second, 0);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    spend(mark, 1);
    Node node;
    node.kind = Node::Kind::kScalar;
    node.place = marks_.place(mark);
    node.text = value;
    node.plain = tag == "?";
    if (!node.plain && !marks_.is_closed(mark)) stop(mark, "invalid YAML: this quote is not closed");
    if (!node.plain && tag != "!" && tag != "tag:yaml.org,2002:str") refuse_tag(mark, tag);
    finish(std::move(node), anchor);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    open(mark, tag, anchor, Node::Kind::kList);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    open(mark, tag, anchor, Node::Kind::kMap);
  }
  void OnMapEnd() override { close(); }

  /// The document; open values are closed with what they have so far.
  Node take() {
    while (!frames_.empty()) close();
    return std::move(root_);
  }

 private:
  struct Frame {
    Node node;
    YAML::anchor_t anchor = 0;
    bool has_key = false;
    bool is_merge = false;
    std::string key;
    Place key_place;
    std::map<std::string, Place> seen;
    std::vector<Node> merges;
  };

  [[noreturn]] void stop(const YAML::Mark& mark, std::string message) {
    problems_.add(marks_.place(mark), std::move(message));
    throw Stop{};
  }
  void refuse_tag(const YAML::Mark& mark, const std::string& tag) {
    problems_.add(marks_.place(mark), "the tag " + tag + " is not supported: remove it");
  }
  void spend(const YAML::Mark& mark, std::size_t nodes) {
    total_ += nodes;
    if (total_ > kMaximumNodes)
      stop(mark, "more than " + std::to_string(kMaximumNodes) + " values, aliases expanded: this is no configuration");
  }
  void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, Node::Kind kind) {
    spend(mark, 1);
    if (frames_.size() >= kMaximumDepth) stop(mark, "nested deeper than " + std::to_string(kMaximumDepth) + " levels");
    if (!tag.empty() && tag != "?" && tag != "!" && !tag.starts_with("tag:yaml.org,2002:")) refuse_tag(mark, tag);
    Frame frame;
    frame.node.kind = kind;
    frame.node.place = marks_.place(mark);
    frame.anchor = anchor;
    frames_.push_back(std::move(frame));
  }
  void close() {
    Frame frame = std::move(frames_.back());
    frames_.pop_back();
    for (Node& merged : frame.merges) merge(frame, merged);
    Node& node = frame.node;
    for (const Node& item : node.items) node.weight += item.weight;
    for (const Entry& entry : node.entries) node.weight += 1 + entry.value.weight;
    finish(std::move(node), frame.anchor);
  }
  void finish(Node node, YAML::anchor_t anchor) {
    if (anchor != 0) {
      total_ += node.weight;
      anchors_[anchor] = node;
    }
    if (frames_.empty()) {
      root_ = std::move(node);
      return;
    }
    Frame& parent = frames_.back();
    if (parent.node.kind == Node::Kind::kList)
      parent.node.items.push_back(std::move(node));
    else if (!parent.has_key)
      begin_entry(parent, node);
    else
      end_entry(parent, std::move(node));
  }
  void begin_entry(Frame& frame, const Node& key) {
    frame.has_key = true;
    frame.is_merge = key.plain && key.text == "<<";
    frame.key = key.text;
    frame.key_place = key.place;
    if (key.kind == Node::Kind::kScalar) return;
    problems_.add(key.place, "a key must be plain text");
    frame.key = "x-invalid";
  }
  void end_entry(Frame& frame, Node value) {
    frame.has_key = false;
    if (frame.is_merge) {
      frame.merges.push_back(std::move(value));
      return;
    }
    const auto [first, added] = frame.seen.emplace(frame.key, frame.key_place);
    if (added)
      frame.node.entries.push_back({frame.key, frame.key_place, std::move(value)});
    else if (frame.key != "x-invalid")
      problems_.add(frame.key_place,
                    "duplicate key '" + frame.key + "': it is already on line " + std::to_string(first->second.line));
  }
  /// `<<: *defaults` or `<<: [*a, *b]`: keys that the map does not have itself; the first map wins.
  void merge(Frame& frame, Node& source) {
    if (source.kind == Node::Kind::kList) {
      for (Node& item : source.items) merge(frame, item);
      return;
    }
    if (source.kind != Node::Kind::kMap) {
      problems_.add(source.place, "'<<' merges maps: expected an alias of a map");
      return;
    }
    for (Entry& entry : source.entries)
      if (frame.seen.emplace(entry.key, entry.place).second) frame.node.entries.push_back(std::move(entry));
  }

  const Marks& marks_;
  Problems& problems_;
  std::vector<Frame> frames_;
  std::map<YAML::anchor_t, Node> anchors_;
  std::size_t total_ = 0;
  Node root_;
};

void report_syntax_error(const YAML::ParserException& error, const Marks& marks, Problems& problems) {
  const Place place = marks.place(error.mark);
  if (const Place tab = marks.tab_indentation(place.line); tab.line > 0)
    return problems.add(tab, "invalid YAML: a tab is used as indentation; use spaces");
  if (error.msg.starts_with("the referenced anchor is not defined"))
    return problems.add(place, "invalid YAML: the alias names no anchor: define it with '&' before it is used");
  problems.add(place, "invalid YAML: " + error.msg + "; check the indentation, and quote text that holds ': ' or ' #'");
}

}  // namespace

Node read_yaml(std::string_view text, int file, Problems& problems) {
  const Marks marks(text, file);
  Builder builder(marks, problems);
  std::istringstream stream{std::string(text)};
  Node root;
  try {
    YAML::Parser parser(stream);
    const bool any = parser.HandleNextDocument(builder);
    root = builder.take();
    if (!any || root.kind == Node::Kind::kNull) {
      root = Node{};
      root.place = {file, 1, 1};
    }
    Problems ignored;
    Builder second(marks, ignored);
    if (any && parser.HandleNextDocument(second)) {
      const Place place = second.take().place;
      problems.add(place, "a second document starts here: a configuration is one document, remove the '---'");
    }
  } catch (const YAML::ParserException& error) {
    report_syntax_error(error, marks, problems);
    if (root.kind == Node::Kind::kNull) root = builder.take();
    root.complete = false;
  } catch (const Stop&) {
    if (root.kind == Node::Kind::kNull) root = builder.take();
    root.complete = false;
  } catch (const std::exception& error) {
    problems.add({file, 0, 0}, std::string("cannot be read as YAML: ") + error.what());
    root.complete = false;
  }
  return root;
}

}  // namespace slipway::config
