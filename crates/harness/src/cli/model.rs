//! Arguments of the commands on models.

use clap::Subcommand;

use super::{ModelCheckArgs, ModelExportArgs, ModelFetchArgs, ModelMergeArgs, ModelShowArgs};

/// Commands on models.
#[derive(Debug, Subcommand)]
pub enum ModelCommand {
    /// Say what a model is: family, shapes, number formats, vocabulary, licence, and the memory it needs.
    ///
    /// Memory is stated for answering, for training a LoRA adapter, and for training all weights:
    ///
    ///   harness model show smollm2-135m-instruct --length 512 --batch 4
    #[command(verbatim_doc_comment)]
    Show(ModelShowArgs),
    /// Open everything of a model, read every tensor, and list all that is wrong; the status is 1 if anything is.
    ///
    ///   harness model check path/to/model.gguf
    #[command(verbatim_doc_comment)]
    Check(ModelCheckArgs),
    /// Fetch the files of a model, and say where they are and what they hold; what is there already is not fetched again.
    ///
    /// A part of configs/model, a YAML file like those, or a file or folder on this machine:
    ///
    ///   harness model fetch smollm2-135m-instruct
    #[command(verbatim_doc_comment)]
    Fetch(ModelFetchArgs),
    /// Put an adapter into the weights of its base model: a folder in Hugging Face layout that other programs open.
    ///
    /// What is written is read again and compared with base and adapter before it gets its name.
    ///
    ///   harness model merge qwen2.5-coder-0.5b-instruct --adapter adapters/spider --out merged/spider
    #[command(verbatim_doc_comment)]
    Merge(ModelMergeArgs),
    /// Write a model, with an adapter in it or without, as one GGUF file, with vocabulary and chat template.
    ///
    /// What is written is read again and compared before it gets its name.
    ///
    ///   harness model export qwen2.5-coder-0.5b-instruct --adapter adapters/spider --type q8_0 --out spider.gguf
    #[command(verbatim_doc_comment)]
    Export(ModelExportArgs),
}
