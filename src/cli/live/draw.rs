//! The state of the view to a frame.
//!
//! Not here: the terminal. Invariant: whatever stands in a log, only printable characters reach a
//! frame; and a frame of any size is drawn, with what fits.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Paragraph};

use super::glance::Glance;
use super::say::{self, name, rate};
use super::state::{App, Drill, PEER_COLUMNS, Picture};
use super::tables::{ColumnGrid, draw_grid, fitted, without_middle};
use crate::cli::show::sheet_rows;
use crate::model::escape::printable;
use crate::pipeline::StageObservation;

/// From this width on, the panels stand beside the reports.
const WIDE: u16 = 100;

/// From this height on, they stand below them otherwise.
const HIGH: u16 = 22;

/// Columns of the panels where they stand beside the reports.
const PANEL: u16 = 44;

/// Columns of the balance sheet where it stands beside the pipeline.
const SHEET: u16 = 30;

/// The most columns of a stage's name, so that its row fits the panel.
const STAGE: usize = 12;

/// From this width on, the panel of the pipeline has room for the types of stages.
const WITH_KIND: u16 = PANEL + 18;

/// Characters of the bar that shows how full an edge is.
const BAR: usize = 8;

const BOLD: Style = Style::new().add_modifier(Modifier::BOLD);
const DIM: Style = Style::new().add_modifier(Modifier::DIM);

/// The keys, for the page of help.
const KEYS: [(&str, &str); 13] = [
    ("q, Ctrl-C", "end the run"),
    ("Ctrl-Z", "to the shell, and back with fg"),
    ("space, p", "freeze the picture, and go on"),
    ("arrows, PgUp, PgDn", "go through the rows"),
    ("Home, End", "first row, last row"),
    ("Tab, left, right", "next report, or list of peers"),
    ("1 to 9", "report of that number"),
    ("s", "sort by the next column"),
    ("S", "turn the order round"),
    ("/", "filter by a part of a host's name"),
    ("Enter", "peers of the host in the row"),
    ("Esc, Backspace", "back; clears a filter"),
    ("?", "these keys"),
];

/// Where the parts of the view go; a part without room has an empty place.
struct ViewAreas {
    header: Rect,
    tabs: Rect,
    main: Rect,
    sheet: Rect,
    pipeline: Rect,
    footer: Rect,
}

/// Draws the view.
pub fn draw(app: &App, frame: &mut Frame<'_>) {
    let areas = areas(frame.area(), app);
    frame.render_widget(Paragraph::new(header(app)), areas.header);
    frame.render_widget(Paragraph::new(tabs(app)), areas.tabs);
    match app.drill() {
        Some(drill) => peers(drill, frame, areas.main),
        None => report(app, frame, areas.main),
    }
    if let Some(picture) = app.picture() {
        frame.render_widget(panel(sheet(&picture.glance), "Balance sheet"), areas.sheet);
        frame.render_widget(panel(pipeline(picture, areas.pipeline.width), "Pipeline"), areas.pipeline);
    }
    frame.render_widget(Paragraph::new(footer(app)), areas.footer);
    if app.help() {
        help(frame);
    }
}

/// Rows of a table that are seen at once on a screen of this size.
pub fn page(area: Rect, app: &App) -> usize {
    usize::from(areas(area, app).main.height.saturating_sub(3))
}

fn areas(area: Rect, app: &App) -> ViewAreas {
    let roomy = area.height >= 8;
    let has_tabs = roomy && app.reports().len() > 1;
    let rows = [
        Constraint::Length(if roomy { 2 } else { 1 }),
        Constraint::Length(u16::from(has_tabs)),
        Constraint::Fill(1),
        Constraint::Length(u16::from(area.height >= 4)),
    ];
    let [header, tabs, body, footer] = Layout::vertical(rows).areas(area);
    let stages = app.picture().map_or(0, |picture| picture.glance.stages.len());
    let stages = u16::try_from(stages).unwrap_or(u16::MAX).saturating_add(2);
    let sheet_rows = app.picture().map_or(0, |picture| sheet(&picture.glance).len() as u16 + 2);
    let none = Rect::default();
    let (main, sheet, pipeline) = if app.picture().is_none() {
        (body, none, none)
    } else if area.width >= WIDE && body.height >= 6 {
        let [main, side] = Layout::horizontal([Constraint::Fill(1), Constraint::Length(PANEL)]).areas(body);
        let [pipeline, sheet, _] =
            Layout::vertical([Constraint::Max(stages), Constraint::Max(sheet_rows), Constraint::Fill(1)]).areas(side);
        (main, sheet, pipeline)
    } else if area.height >= HIGH {
        let bottom = stages.max(sheet_rows).min(body.height / 2);
        let [main, below] = Layout::vertical([Constraint::Fill(1), Constraint::Length(bottom)]).areas(body);
        let [pipeline, sheet] = Layout::horizontal([Constraint::Fill(1), Constraint::Max(SHEET)]).areas(below);
        (main, sheet, pipeline)
    } else {
        (body, none, none)
    };
    ViewAreas { header, tabs, main, sheet, pipeline, footer }
}

fn header(app: &App) -> Vec<Line<'static>> {
    let state = match app.picture() {
        _ if app.frozen() => "FROZEN",
        Some(picture) if picture.glance.ended => "ENDED",
        _ => "LIVE",
    };
    let state = Span::styled(format!(" {state} "), BOLD.add_modifier(Modifier::REVERSED));
    let Some(Picture { glance, rates }) = app.picture() else {
        return vec![Line::from(vec![state, Span::raw(" logparser")])];
    };
    let window = glance.result.as_ref().map(|result| say::window(&result.window, &result.cut));
    let window = window.map_or_else(|| "no window yet".to_owned(), |window| format!("window {window}"));
    let watermark = match glance.watermark {
        Some(at) => format!("complete up to {}, {} behind", say::clock(glance.now, at), say::lag(glance.now, at)),
        None if glance.ended => "complete".to_owned(),
        None => "not complete yet".to_owned(),
    };
    let inputs = if glance.inputs == 1 { "1 input".to_owned() } else { format!("{} inputs", glance.inputs) };
    let speed = format!("{} lines/s  {}B/s", rate(rates.lines), rate(rates.bytes));
    vec![
        Line::from(vec![state, Span::raw(format!(" {window}"))]),
        Line::from(format!(" {speed}  {inputs}  {watermark}")),
    ]
}

fn tabs(app: &App) -> Line<'static> {
    let mut spans = Vec::new();
    for (at, report) in app.reports().iter().enumerate() {
        let style = if at == app.tab() { BOLD.add_modifier(Modifier::REVERSED) } else { DIM };
        spans.push(Span::styled(format!(" {} {} ", at + 1, printable(report.id.as_bytes())), style));
        spans.push(Span::raw(" "));
    }
    Line::from(spans)
}

/// The report that is shown, or why there is none.
fn report(app: &App, frame: &mut Frame<'_>, area: Rect) {
    if let Some((report, table)) = app.report() {
        let overflow = match report.overflow {
            0 => String::new(),
            more => format!("  overflow {more}"),
        };
        let more = report.more.map_or_else(String::new, |more| format!("  {more}"));
        let rows = shown(table.order().len(), report.rows.len());
        let title = format!(" {}{rows}{more}{overflow} ", name(&report.title));
        let grid = ColumnGrid { title, columns: &report.columns, rows: &report.rows, table, focused: true };
        return draw_grid(&grid, frame, area);
    }
    let counted = app.picture().map_or(0, |picture| picture.glance.balance.counted);
    let why = match app.picture() {
        None => "Waiting for the run ...",
        Some(picture) if picture.glance.result.is_some() => "No reports are asked for.",
        Some(picture) if picture.glance.ended => "Nothing to show.",
        Some(_) if counted == 0 => "Waiting for the first record of a window ...",
        Some(_) => "What is counted cannot be looked at yet: there is no memory to spare, or it is on disk.",
    };
    frame.render_widget(panel(vec![Line::from(why)], ""), area);
}

/// How many rows are shown, if not all are.
fn shown(shown: usize, all: usize) -> String {
    if shown == all { format!(" ({all})") } else { format!(" ({shown} of {all})") }
}

fn peers(drill: &Drill, frame: &mut Frame<'_>, area: Rect) {
    let halves = [Constraint::Fill(1), Constraint::Fill(1)];
    let areas: [Rect; 2] =
        if area.width >= 60 { Layout::horizontal(halves).areas(area) } else { Layout::vertical(halves).areas(area) };
    let host = name(&drill.host);
    let titles = [format!("{host} connects to"), format!("connect to {host}")];
    for (at, (title, area)) in titles.into_iter().zip(areas).enumerate() {
        let Some(sides) = &drill.sides else {
            let title = fitted(&title, area.width.saturating_sub(4).into());
            frame.render_widget(panel(vec![Line::from("Looking ...")], &title), area);
            continue;
        };
        let (rows, table) = (&sides[at], &drill.tables[at]);
        let title = format!(" {title}{} ", shown(table.order().len(), rows.len()));
        draw_grid(&ColumnGrid { title, columns: &PEER_COLUMNS, rows, table, focused: at == drill.focus }, frame, area);
    }
}

fn sheet(glance: &Glance) -> Vec<Line<'static>> {
    // The bytes in the inputs are not known before their ends, and the number of inputs is in the
    // headline.
    let rows = sheet_rows(&glance.balance).filter(|(label, _)| !["= in inputs", "inputs"].contains(label));
    rows.map(|(label, value)| Line::from(format!("{label:<18}{value:>10}"))).collect()
}

/// A row for each stage; in a panel that is wide enough, with its type.
fn pipeline(Picture { glance, rates }: &Picture, width: u16) -> Vec<Line<'static>> {
    let names: Vec<String> = glance.stages.iter().map(|stage| name(stage.name.as_bytes())).collect();
    let widest = names.iter().map(|name| Span::raw(name).width()).max().unwrap_or(0).min(STAGE);
    let row = |(at, (stage, name)): (usize, (&StageObservation, &String))| {
        let batches = rate(rates.batches.get(at).copied().unwrap_or(0.0));
        let name = without_middle(name.clone(), widest);
        let padding = " ".repeat(widest.saturating_sub(Span::raw(&name).width()));
        let threads = format!("x{}", stage.threads);
        let kind = if width >= WITH_KIND { format!("{:<18}", stage.kind) } else { String::new() };
        Line::from(format!("{name}{padding} {kind}{threads:<4}{} {batches:>6}/s", bar(stage)))
    };
    glance.stages.iter().zip(&names).enumerate().map(row).collect()
}

/// How full the edge in front of a stage is; empty where there is none.
fn bar(&StageObservation { waiting, capacity, chained, .. }: &StageObservation) -> String {
    if capacity == 0 {
        let word = if chained { "chained" } else { "" };
        return format!("{word:<width$}", width = BAR + 8);
    }
    let full = (waiting.min(capacity) * BAR).div_ceil(capacity);
    let numbers = format!("{waiting}/{capacity}");
    format!("{}{} {numbers:<7}", "█".repeat(full), "░".repeat(BAR - full))
}

fn panel(lines: Vec<Line<'static>>, title: &str) -> Paragraph<'static> {
    let title = if title.is_empty() { String::new() } else { format!(" {title} ") };
    Paragraph::new(lines).block(Block::bordered().border_style(DIM).title(Span::styled(title, BOLD)))
}

fn footer(app: &App) -> Line<'static> {
    if app.editing() {
        return Line::from(format!(" /{}_   Enter keeps, Esc clears", app.filter()));
    }
    let mut spans = Vec::new();
    if !app.filter().is_empty() {
        spans.push(Span::styled(format!(" filter: {} ", app.filter()), BOLD));
    }
    let freeze = if app.frozen() { "space goes on" } else { "space freezes" };
    let back = if app.drill().is_some() { "Esc back" } else { "Enter peers" };
    spans.push(Span::styled(format!(" q quits  {freeze}  s sorts  / filters  {back}  ? keys"), DIM));
    Line::from(spans)
}

fn help(frame: &mut Frame<'_>) {
    let lines: Vec<Line<'static>> = KEYS.iter().map(|(key, what)| Line::from(format!("{key:<20}{what}"))).collect();
    let area = frame.area();
    let (width, height) = (area.width.min(56), area.height.min(lines.len() as u16 + 2));
    let place = Rect { x: (area.width - width) / 2, y: (area.height - height) / 2, width, height };
    frame.render_widget(Clear, place);
    frame.render_widget(panel(lines, "Keys"), place);
}
