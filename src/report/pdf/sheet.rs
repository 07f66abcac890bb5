//! Pages being filled from top to bottom: what is drawn where, and what it means to those who cannot see it.
//!
//! Nothing is written here: pages are lists of operations until all of them are known, so that each can carry the number of
//! all. `paint` turns them into a PDF.

use super::drawable::{lacks_glyphs, readable};
use super::lines::{Line, Run, wrap};
use super::palette::{BOTTOM, Color, MARGIN, Style, TOP, WIDTH};
use super::shapes::Shape;
use super::typeface::CAP_HEIGHT_EM;

/// Pages that a report has at most; what comes after is dropped, which the bounds of its parts keep from happening.
const MAX_PAGES: usize = 400;

/// What a part of the document is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Role {
    /// A chapter.
    Section,
    /// A heading of a level, with its words.
    Heading(u16, String),
    /// A paragraph.
    Paragraph,
    /// Somebody's own words.
    Quote,
    /// A bulleted list.
    List,
    /// One item.
    Item,
    /// What it says.
    Body,
    /// A table, with what it is about.
    Table(String),
    /// A row.
    Row,
    /// The head of a column.
    ColumnHead,
    /// The head of a row.
    RowHead,
    /// A cell.
    Cell,
    /// Something drawn, in words.
    Figure(String),
    /// What somebody types.
    Code,
}

/// One part of the document.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// What it is.
    pub(super) role: Role,
    /// The text in place of what is drawn, where that lacks characters.
    pub(super) actual: Option<String>,
    /// What it consists of.
    pub(super) kids: Vec<Kid>,
}

/// A part of a part.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kid {
    /// Another part, by number.
    Node(usize),
    /// Drawn content, by number.
    Mark(usize),
}

/// What is no part of the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decoration {
    /// Lines, grounds, bars.
    Layout,
    /// At the top of every page.
    Header,
    /// At the bottom of every page.
    Footer,
}

/// One operation.
#[derive(Clone, Debug)]
pub(super) enum Op {
    /// Begins content that belongs to the document.
    Begin(usize),
    /// Begins what is no part of the document.
    BeginArtifact(Decoration),
    /// Ends either.
    End,
    /// Draws text from its baseline's left end.
    Text {
        /// Left end.
        x: f32,
        /// From the page's top.
        baseline: f32,
        /// What.
        text: String,
        /// How.
        style: Style,
    },
    /// Fills a shape.
    Fill(Shape, Color),
    /// Draws along a line.
    Stroke(Shape, Color, f32),
    /// Draws the picture of that number.
    Picture {
        /// Which.
        number: usize,
        /// Left, top, width, height.
        place: [f32; 4],
    },
}

/// An entry of the outline.
#[derive(Clone, Debug)]
pub(super) struct Bookmark {
    /// Words.
    pub(super) title: String,
    /// Counted from 0.
    pub(super) page: usize,
    /// From the page's top.
    pub(super) y: f32,
}

/// The pages.
#[derive(Debug)]
pub(super) struct Sheet {
    /// Each page's operations.
    pub(super) pages: Vec<Vec<Op>>,
    /// Every part; the first is the document.
    pub(super) nodes: Vec<Node>,
    /// Pieces of content.
    pub(super) n_marks: usize,
    /// The outline.
    pub(super) bookmarks: Vec<Bookmark>,
    /// Where the next thing goes.
    pub(super) y: f32,
    open: Vec<usize>,
    is_cut: bool,
}

impl Sheet {
    /// One empty page.
    pub(super) fn new() -> Self {
        let document = Node { role: Role::Section, actual: None, kids: Vec::new() };
        let (nodes, open) = (vec![document], vec![0]);
        Self { pages: vec![Vec::new()], nodes, n_marks: 0, bookmarks: Vec::new(), y: TOP, open, is_cut: false }
    }

    /// The page that is being filled, from 0.
    pub(super) fn page(&self) -> usize {
        self.pages.len() - 1
    }

    /// Adds a part around what `fill` draws.
    pub(super) fn part<T>(&mut self, role: Role, fill: impl FnOnce(&mut Self) -> T) -> T {
        let mut role = role;
        if let Role::Heading(_, words) | Role::Figure(words) | Role::Table(words) = &mut role {
            *words = readable(words);
        }
        let number = self.nodes.len();
        self.nodes.push(Node { role, actual: None, kids: Vec::new() });
        self.adopt(Kid::Node(number));
        self.open.push(number);
        let outcome = fill(self);
        self.open.pop();
        outcome
    }

    /// Says what the part being filled reads like, where the drawing lacks characters.
    pub(super) fn actual_text(&mut self, text: String) {
        if let Some(number) = self.open.last().copied()
            && let Some(node) = self.nodes.get_mut(number)
        {
            node.actual = Some(text);
        }
    }

    /// Draws content of the part being filled, all of it on this page.
    pub(super) fn content(&mut self, draw: impl FnOnce(&mut Self)) {
        let number = self.n_marks;
        self.n_marks += 1;
        self.adopt(Kid::Mark(number));
        self.push(Op::Begin(number));
        draw(self);
        self.push(Op::End);
    }

    /// Draws decoration.
    pub(super) fn artifact(&mut self, draw: impl FnOnce(&mut Self)) {
        self.push(Op::BeginArtifact(Decoration::Layout));
        draw(self);
        self.push(Op::End);
    }

    /// Adds an operation to the page.
    pub(super) fn push(&mut self, op: Op) {
        if let Some(page) = self.pages.last_mut().filter(|_| !self.is_cut) {
            page.push(op);
        }
    }

    fn adopt(&mut self, kid: Kid) {
        if let Some(number) = self.open.last().copied()
            && let Some(node) = self.nodes.get_mut(number)
        {
            node.kids.push(kid);
        }
    }

    /// Makes sure that `height` fits below: begins a page if not. Gives back whether it did.
    pub(super) fn need(&mut self, height: f32) -> bool {
        let is_new = self.y + height > BOTTOM && self.y > TOP;
        if is_new {
            self.begin_page();
        }
        is_new
    }

    /// Begins a page.
    pub(super) fn begin_page(&mut self) {
        if self.pages.len() < MAX_PAGES {
            self.pages.push(Vec::new());
        } else {
            self.is_cut = true;
        }
        self.y = TOP;
    }

    /// Leaves space; none at the top of a page.
    pub(super) fn skip(&mut self, height: f32) {
        if self.y > TOP {
            self.y += height;
        }
    }

    /// Draws a line of text with its left edge at `x` and its top at `y`, as content.
    pub(super) fn line_at(&mut self, x: f32, y: f32, line: &Line) {
        if line.pieces.is_empty() {
            return;
        }
        self.content(|sheet| sheet.text_at(x, y, line));
    }

    /// Draws a line of text without saying what it is.
    pub(super) fn text_at(&mut self, x: f32, y: f32, line: &Line) {
        for piece in &line.pieces {
            let baseline = y + line.leading / 2.0 + piece.style.size * CAP_HEIGHT_EM / 2.0;
            let (text, style) = (piece.text.clone(), piece.style);
            self.push(Op::Text { x: x + piece.x, baseline, text, style });
        }
    }

    /// Draws text over as many lines and pages as it takes, from `x`, `width` wide.
    pub(super) fn flow(&mut self, runs: &[Run], x: f32, width: f32) {
        for line in wrap(runs, width) {
            self.need(line.leading);
            self.line_at(x, self.y, &line);
            self.y += line.leading;
        }
    }

    /// A paragraph over the whole width.
    pub(super) fn paragraph(&mut self, text: &str, style: Style) {
        self.part(Role::Paragraph, |sheet| {
            sheet.say(text);
            sheet.flow(&[Run::new(text, style)], MARGIN, WIDTH);
        });
    }

    /// Notes what a text really says if the typeface cannot show it.
    pub(super) fn say(&mut self, text: &str) {
        if lacks_glyphs(text) {
            self.actual_text(readable(text));
        }
    }

    /// A heading that stays with the first lines of what follows it.
    pub(super) fn heading(&mut self, level: u16, title: &str, style: Style) {
        self.heading_with(level, title, style, 54.0);
    }

    /// A heading that stays with the next `height`; those of level 2 are in the outline.
    pub(super) fn heading_with(&mut self, level: u16, title: &str, style: Style, height: f32) {
        self.need(style.leading + height);
        if level == 2 {
            self.bookmarks.push(Bookmark { title: title.to_owned(), page: self.page(), y: self.y });
        }
        self.part(Role::Heading(level, title.to_owned()), |sheet| {
            sheet.flow(&[Run::new(title, style)], MARGIN, WIDTH);
        });
    }
}
