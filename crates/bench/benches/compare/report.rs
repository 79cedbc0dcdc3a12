//! Tables on the screen, and the same as JSON.

use std::path::Path;
use std::{fs, io};

use serde_json::{Map, Value, json};

/// A table with one row for each contender.
pub(crate) struct Table {
    pub(crate) title: String,
    /// The name of the file in `target/bench/`.
    pub(crate) file: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) columns: Vec<String>,
    /// A name, and a value for each column that applies.
    pub(crate) rows: Vec<(String, Vec<Option<f64>>)>,
    /// The row that the others are compared with.
    pub(crate) reference: Option<&'static str>,
}

impl Table {
    /// Prints the table and writes it into `target/bench/`.
    pub(crate) fn publish(&self) -> io::Result<()> {
        self.print();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/bench");
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(self.file).with_extension("json"), format!("{:#}\n", self.json()))
    }

    fn print(&self) {
        println!("{} ({})", self.title, self.unit);
        print!("  {:28}", "");
        for column in &self.columns {
            print!("{column:>22}");
        }
        println!();
        for (name, values) in &self.rows {
            print!("  {name:28}");
            for (column, value) in values.iter().enumerate() {
                match (value, self.ratio(column, *value)) {
                    (Some(value), Some(ratio)) => print!("{value:>13.1} {ratio:>6.3} ×"),
                    (Some(value), None) => print!("{value:>22.1}"),
                    (None, _) => print!("{:>22}", "–"),
                }
            }
            println!();
        }
        println!();
    }

    fn json(&self) -> Value {
        let rows = self.rows.iter().map(|(name, values)| {
            let values = values.iter().enumerate().map(|(column, value)| {
                let value = json!({ "value": value, "ratio": self.ratio(column, *value) });
                (self.columns[column].clone(), value)
            });
            (name.clone(), Value::Object(values.collect()))
        });
        json!({
            "title": self.title,
            "unit": self.unit,
            "reference": self.reference,
            "openssl": openssl::version::version(),
            "settings": crate::settings::DESCRIPTION,
            "rows": Value::Object(rows.collect::<Map<_, _>>()),
        })
    }

    fn ratio(&self, column: usize, value: Option<f64>) -> Option<f64> {
        let reference = self.rows.iter().find(|(name, _)| Some(name.as_str()) == self.reference)?.1[column]?;
        Some(value? / reference)
    }
}
